"""How long it takes from an event of the kernel or of systemd to a subscriber: collector, our bridge, Mosquitto, loopback."""

import bisect
import contextlib
import json
import os
import re
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from booted import BootedSystem
from measure import table
from rig import DEVICE, MeasurementError, Programs, Rig, Variant, tool, wait_until
from shapes import BRIDGE, COREDUMP, DBUS, PSI

BOOT = "43908254216b467b81453543fe292e1a"
DUMPS, UNITS = 300, 160
STALL_SECONDS = 16
SAME_MOMENT = 0.02

METHOD = """\
Both collectors with our bridge, a fresh Mosquitto and `mosquitto_sub`, which notes the time of arrival. A core dump begins with the
rename of its file ({dumps} of them a run). Pressure begins when a witness of real-time priority with the same trigger is told (`{trigger}`; for {stall} s processes of
the idle class want every CPU, and the kernel tells once a window; notices more than 20 ms apart are not the same one). A unit begins when dbus-monitor hears that it
failed ({units} of them, systemd booted by systemd-nspawn). The variants run in turn; all their events of {rounds} runs are taken together.{left_out}"""

Arrivals = dict[str, float]


def measure_latency(variants: Sequence[Variant], programs: Programs, rounds: int) -> str:
    left_out = ""
    with contextlib.ExitStack() as stack:
        # Above what else runs on the machine, all that is measured alike.
        stack.callback(os.setpriority, os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0))
        os.setpriority(os.PRIO_PROCESS, 0, -15)
        sources: dict[str, Callable[[Rig], list[float]]] = {
            "core dump": _core_dumps, "pressure": lambda rig: _pressure(rig, programs)}
        try:
            system = stack.enter_context(BootedSystem())
            sources["unit"] = lambda rig: _units(rig, system)
        except MeasurementError as error:
            left_out = f"\n**Units are left out: {error}.**"
        found: dict[tuple[str, str], list[float]] = {}
        for number in range(rounds):
            for variant in variants if number % 2 == 0 else reversed(variants):
                for source, run in sources.items():
                    with Rig(variant) as rig:
                        found.setdefault((source, variant.name), []).extend(run_with_bridge(rig, programs, run))
    names = [variant.name for variant in variants]
    rows = []
    for source in sources:
        rows.append((f"{source}: median, us", *([statistics.median(found[source, name])] for name in names), ",.0f"))
        rows.append((f"{source}: p99, us", *([percentile(found[source, name], 0.99)] for name in names), ",.0f"))
        rows.append((f"{source}: events", *([len(found[source, name])] for name in names), ".0f"))
    method = METHOD.format(dumps=DUMPS, stall=STALL_SECONDS, trigger=_trigger()[0], units=UNITS, rounds=rounds, left_out=left_out)
    return f"## Latency\n\n{method}\n\n{table('', names, rows)}"


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def run_with_bridge(rig: Rig, programs: Programs, run: Callable[[Rig], list[float]]) -> list[float]:
    """With our bridge whatever the collector."""
    places = {"prefix": rig.prefix, "port": rig.port, "device": DEVICE, "folder": rig.folder}
    rig.start([str(programs.built / BRIDGE.program), *BRIDGE.arguments.format(**places).split()])
    if '"online"' not in rig.receive_one(f"stats/{DEVICE}/status", 20):
        raise MeasurementError(f"the bridge does not get online: {rig.errors()}")
    arrivals = rig.folder / "arrivals"
    rig.subscribe("-t", f"stats/{DEVICE}/#", "-F", "%U %t %p", output=arrivals)
    # The status is retained: once it is there, all that comes after it will be.
    wait_until(lambda: f"stats/{DEVICE}/status " in arrivals.read_text(), 20, "the subscriber is there")
    return run(rig)


def _arrivals(rig: Rig, program: str) -> list[tuple[float, dict]]:
    """What has arrived of a program by now, and when."""
    found = []
    for line in (rig.folder / "arrivals").read_text().splitlines():
        words = line.split(" ", 2)
        if len(words) == 3 and f"/{program}" in words[1] and words[2].endswith("}") and '"kind":"source_state"' not in words[2]:
            found.append((float(words[0]), json.loads(words[2])))
    return found


def _wait_for_watch(path: Path, pid: int) -> None:
    """Until the process has an inotify watch of the folder."""
    inode = f"ino:{path.stat().st_ino:x} "

    def watches() -> bool:
        return any(inode in (file.read_text() if file.exists() else "") for file in Path(f"/proc/{pid}/fdinfo").iterdir())

    wait_until(watches, 10, "the folder is watched")


def _core_dumps(rig: Rig) -> list[float]:
    dumps = rig.folder / "dumps"
    journal = ["--journal", "no"] if rig.variant.is_reference else ["--no-journal"]
    process = rig.start(rig.command(COREDUMP) + journal)
    _wait_for_watch(dumps, process.pid)
    begun: dict[int, float] = {}
    for number in range(DUMPS):
        pid = 1000 + number
        hidden = dumps / f".#core{number}"
        hidden.write_bytes(b"core")
        os.setxattr(hidden, "user.coredump.exe", b"/usr/bin/crasher")
        os.setxattr(hidden, "user.coredump.signal", b"11")
        name = dumps / f"core.crasher.0.{BOOT}.{pid}.17952280{number:04}000000.zst"
        begun[pid] = time.time()
        os.rename(hidden, name)
        time.sleep(0.01)
    wait_until(lambda: len(_arrivals(rig, COREDUMP.program)) >= DUMPS or rig.check(process), 60,
               f"{rig.variant.name}: all core dumps arrive", interval=0.2)
    return [(time_ - begun[record["pid"]]) * 1e6 for time_, record in _arrivals(rig, COREDUMP.program)]


class _Stall:
    """Processes of the idle class that want every CPU; whoever else wants one gets it at once."""

    def __enter__(self) -> Callable[[bool], None]:
        self._pids = []
        for _ in range(2 * (os.cpu_count() or 1)):
            pid = os.fork()
            if pid == 0:
                os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
                os.kill(os.getpid(), 19)
                while True:
                    pass
            self._pids.append(pid)
            # One that is told to go on before it has stopped would then stop for good.
            os.waitpid(pid, os.WUNTRACED)
        return self._go

    def _go(self, on: bool) -> None:
        for pid in self._pids:
            os.kill(pid, 18 if on else 19)

    def __exit__(self, *_: object) -> None:
        for pid in self._pids:
            os.kill(pid, 9)
            os.waitpid(pid, 0)


def _trigger() -> tuple[str, int, int]:
    """As the option has it, threshold and window in microseconds. Without CAP_SYS_RESOURCE a window is 2 s."""
    capabilities = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff:"))
    if int(capabilities.split()[1], 16) >> 24 & 1:
        return "cpu:some:20ms/500ms", 20_000, 500_000
    return "cpu:some:100ms/2s", 100_000, 2_000_000


def _pressure(rig: Rig, programs: Programs) -> list[float]:
    option, threshold, window = _trigger()
    trigger = ["--cpu-trigger", f"{threshold}/{window}"] if rig.variant.is_reference else ["--trigger", option]
    notices = rig.folder / "notices"
    witness = rig.start([str(programs.pressure_witness), str(threshold), str(window)], notices)
    process = rig.start(rig.command(PSI) + trigger)
    time.sleep(0.5)
    with _Stall() as stall:
        stall(True)
        time.sleep(STALL_SECONDS)
    rig.check(process)
    rig.check(witness)
    told = [int(line) / 1e9 for line in notices.read_text().splitlines()]
    latencies = []
    for arrival, record in _arrivals(rig, PSI.program):
        before = bisect.bisect_right(told, arrival)
        if record["state"] in ("onset", "ongoing") and before and arrival - told[before - 1] < SAME_MOMENT:
            latencies.append((arrival - told[before - 1]) * 1e6)
    if len(latencies) < STALL_SECONDS * 1e6 / window / 2:
        raise MeasurementError(f"{rig.variant.name}: {len(latencies)} notices of {len(told)} were told: {rig.errors()}")
    return latencies


def _units(rig: Rig, system: BootedSystem) -> list[float]:
    rig.places["bus"] = system.bus
    monitored = rig.folder / "monitored"
    rig.start(["/usr/bin/stdbuf", "-oL", tool("dbus-monitor"), "--address", system.bus,
               "type='signal',interface='org.freedesktop.DBus.Properties',path_namespace='/org/freedesktop/systemd1/unit'"],
              monitored)
    process = rig.start_shape(DBUS)
    time.sleep(1)  # the list of units
    names = [f"bench{rig.port}n{number}" for number in range(UNITS)]
    for name in names:
        system.run("systemd-run", "--quiet", "--unit", name, "false")
    wait_until(lambda: sum(record.get("active_state") == "failed" for _, record in _arrivals(rig, DBUS.program)) >= UNITS
               or rig.check(process), 20, f"{rig.variant.name}: all failed units arrive", interval=0.2)
    heard: dict[str, float] = {}
    for signal in re.split(r"^signal ", monitored.read_text(errors="replace"), flags=re.M)[1:]:
        found = re.match(r"time=([\d.]+) .*?path=/org/freedesktop/systemd1/unit/(\w+?)_2eservice", signal)
        if found and re.search(r'"ActiveState"\s+variant\s+string "failed"', signal):
            heard.setdefault(found[2] + ".service", float(found[1]))
    system.run("systemctl", "reset-failed", *names)
    return [(arrival - heard[record["unit"]]) * 1e6 for arrival, record in _arrivals(rig, DBUS.program)
            if record.get("active_state") == "failed" and record["unit"] in heard]
