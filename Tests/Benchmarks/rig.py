"""What a measurement stands on: a temporary folder, a private broker, processes and queues; all of it ends with it."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from shapes import BRIDGE, COLLECTORS, QUEUES, SHAPES, Shape

HERE = Path(__file__).resolve().parent
DEVICE = "bench"
TEMPORARY = "/var/tmp"  # a disk: the pages of a program on a tmpfs, as /tmp may be, all count as private dirty
BROKER = """
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_queued_messages 0
max_inflight_messages 100
sys_interval 0
log_dest stderr
log_type error
"""


class MeasurementError(Exception):
    """Why nothing was measured."""


@dataclass(frozen=True)
class Variant:
    """One of the two that are compared: a folder with a program for each shape."""

    name: str
    folder: Path
    is_reference: bool

    def command(self, shape: Shape, **places: object) -> list[str]:
        template = shape.reference_arguments if self.is_reference else shape.arguments
        collectors = ",".join(each.program for each in COLLECTORS)
        return [str(self.folder / shape.program), *template.format(collectors=collectors, **places).split()]


def tool(name: str) -> str:
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not found:
        raise MeasurementError(f"{name} is not installed")
    return found


def run(*command: object) -> str:
    """The output of a command that ends by itself."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise MeasurementError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def wait_until(condition, seconds: float, what: str, interval: float = 0.02) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise MeasurementError(f"{what}: not within {seconds:.0f} s")
        time.sleep(interval)


def _strip_into(program: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    run(tool("strip"), "-o", target, program)
    with open(target, "rb") as written:
        os.fsync(written)  # a page that still waits to be written to the disk would count as private dirty


class Programs:
    """Both variants, stripped as a package ships them, side by side in one folder, and the load generator."""

    def __init__(self, folder: Path):
        self._folder = folder
        self.push_records = self.compile("push-records.c")

    def compile(self, source: str, libraries: tuple[str, ...] = ()) -> Path:
        program = self._folder / Path(source).stem
        flags = ["-O2", "-Wall", "-Wextra", "-Werror"]
        run(tool("cc"), *flags, "-o", program, HERE / source, *(f"-l{library}" for library in libraries))
        return program

    def reference(self, name: str) -> Variant:
        folder = self._folder / name.replace(" ", "-")
        for shape in SHAPES:
            _strip_into(self.compile(shape.reference, shape.libraries), folder / shape.program)
        return Variant(name, folder, True)

    def ours(self, built: Path) -> Variant:
        folder = self._folder / "ours"
        for shape in SHAPES:
            if not (built / shape.program).exists():
                raise MeasurementError(f"{built / shape.program} is not built")
            _strip_into(built / shape.program, folder / shape.program)
        return Variant("Swift", folder, False)


class Rig:
    """One run of one variant: its own broker, its own queues. Leaving it ends every process it started."""

    def __init__(self, variant: Variant):
        self.variant = variant
        self.port = 0
        self.prefix = f"/bench-{os.getpid()}-{time.monotonic_ns()}."
        self.folder = Path()
        self._processes: list[subprocess.Popen] = []

    def __enter__(self) -> "Rig":
        self.folder = Path(tempfile.mkdtemp(prefix="bench-run-", dir=TEMPORARY))
        try:
            self._start_broker()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, command: list[str], output: Path | None = None) -> subprocess.Popen:
        with open(output or os.devnull, "wb") as out, open(self.folder / "errors", "ab") as errors:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=errors)
        self._processes.append(process)
        return process

    def start_shape(self, shape: Shape, *options: str) -> subprocess.Popen:
        command = self.variant.command(shape, prefix=self.prefix, port=self.port, device=DEVICE, folder=self.folder)
        return self.start([*command, *options])

    def start_bridge(self, *options: str) -> subprocess.Popen:
        """The bridge, once its status says that it is online."""
        bridge = self.start_shape(BRIDGE, *options)
        self.check(bridge)
        if '"online"' not in self.receive_one(f"stats/{DEVICE}/status", 20):
            raise MeasurementError(f"{self.variant.name}: the bridge does not get online: {self.errors()}")
        self.check(bridge)
        return bridge

    def check(self, process: subprocess.Popen) -> None:
        if process.poll() is not None:
            raise MeasurementError(f"{process.args[0]} ended with {process.returncode}: {self.errors()}")

    def pids(self) -> set[int]:
        return {process.pid for process in self._processes if process.poll() is None}

    def errors(self) -> str:
        return (self.folder / "errors").read_text(errors="replace")[-2000:].strip()

    def subscribe(self, *arguments: str, output: Path) -> subprocess.Popen:
        address = ["-h", "127.0.0.1", "-p", str(self.port), "-V", "5", "-q", "1"]
        return self.start([tool("mosquitto_sub"), *address, *arguments], output)

    def receive_one(self, topic: str, seconds: int) -> str:
        output = self.folder / "one"
        self.subscribe("-t", topic, "-C", "1", "-W", str(seconds), output=output).wait()
        return output.read_text()

    def publish_retained(self, topic: str, text: str) -> None:
        run(tool("mosquitto_pub"), "-h", "127.0.0.1", "-p", self.port, "-q", "1", "-r", "-t", topic, "-m", text)

    def close(self) -> None:
        for process in reversed(self._processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self._processes.clear()
        for program in QUEUES:
            ctypes.CDLL("librt.so.1").mq_unlink((self.prefix + program).encode())
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start_broker(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        configuration = self.folder / "mosquitto.conf"
        configuration.write_text(BROKER.format(port=self.port))
        broker = self.start([tool("mosquitto"), "-c", str(configuration)])
        wait_until(lambda: self._answers() or self.check(broker), 10, "the broker answers")

    def _answers(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0
