"""The programs that are measured, each with the C program of its shape. A new shape is a new line."""

from dataclasses import dataclass

QUEUES = (
    "inotify-coredump", "inotify-pacct", "cyclic-sysinfo", "cyclic-file-read",
    "epoll-psi", "dbus-systemd-signals", "dlt-proc-watch",
)


@dataclass(frozen=True)
class Shape:
    """Arguments are split at blanks; {prefix}, {port}, {device}, {collectors} and {folder} are filled in."""

    program: str
    arguments: str
    reference: str
    reference_arguments: str
    libraries: tuple[str, ...] = ()


BRIDGE = Shape(
    "posix-mq-to-mqtt-bridge",
    "--config /dev/null --host 127.0.0.1 --port {port} --queue-prefix {prefix} --device-id {device}",
    "reference-bridge.c",
    "--host 127.0.0.1 --port {port} --queue-prefix {prefix} --device-id {device} --programs {collectors}",
    ("mosquitto", "systemd"),
)

COLLECTORS = (
    Shape(
        "cyclic-sysinfo", "--config /dev/null --queue-prefix {prefix} --interval 1s",
        "reference-collector.c", "--queue-prefix {prefix} --interval-ms 1000",
    ),
)

SHAPES = (BRIDGE, *COLLECTORS)
