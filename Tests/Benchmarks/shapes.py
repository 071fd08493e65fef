"""The programs that are measured, each with the C program of its shape. A new shape is a new line."""

from dataclasses import dataclass

QUEUES = (
    "inotify-coredump", "inotify-pacct", "cyclic-sysinfo", "cyclic-file-read",
    "epoll-psi", "dbus-systemd-signals", "dlt-proc-watch", "trace-consumer",
)


@dataclass(frozen=True)
class Shape:
    """Arguments are split at blanks; {prefix}, {port}, {device}, {collectors}, {folder} and what a rig adds are filled in."""

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
SYSINFO = Shape(
    "cyclic-sysinfo", "--config /dev/null --queue-prefix {prefix} --interval 1s",
    "reference-collector.c", "--queue-prefix {prefix} --interval-ms 1000",
)
FILE_READ = Shape(
    "cyclic-file-read", "--config /dev/null --queue-prefix {prefix} --interval 1s --file-systems-interval 10s",
    "reference-file-read.c", "--queue-prefix {prefix} --interval-ms 1000 --slow-every 10", ("sensors",),
)
PSI = Shape(
    "epoll-psi", "--config /dev/null --queue-prefix {prefix}", "reference-psi.c", "--queue-prefix {prefix}",
)
COREDUMP = Shape(
    "inotify-coredump", "--config /dev/null --queue-prefix {prefix} --folder {folder}/dumps --state-file {folder}/dump-state",
    "reference-coredump.c", "--queue-prefix {prefix} --folder {folder}/dumps --state-file {folder}/dump-state",
    ("systemd",),
)
PACCT = Shape(
    "inotify-pacct",
    "--config /dev/null --queue-prefix {prefix} --file {folder}/pacct --assume-on --state-file {folder}/pacct-state",
    "reference-pacct.c", "--queue-prefix {prefix} --file {folder}/pacct",
)
DLT = Shape(
    "dlt-proc-watch", "--config /dev/null --queue-prefix {prefix} --port {dlt}",
    "reference-dlt.c", "--queue-prefix {prefix} --port {dlt}",
)
DBUS = Shape(
    "dbus-systemd-signals", "--config /dev/null --queue-prefix {prefix} --address {bus}",
    "reference-dbus.c", "--queue-prefix {prefix} --address {bus}", ("dbus-1",),
)

COLLECTORS = (SYSINFO, FILE_READ, PSI, COREDUMP, PACCT, DLT, DBUS)
SHAPES = (BRIDGE, *COLLECTORS)
