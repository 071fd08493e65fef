"""What the programs cost while nothing happens but the samples of a 1 s interval."""

import time
from collections.abc import Sequence

from measure import cpu_seconds, memory, sharers, table, wakeups
from rig import DEVICE, MeasurementError, Rig, Variant
from shapes import BRIDGE, COLLECTORS, SHAPES

SETTLING_SECONDS = 3

METHOD = """\
The variants run in turn, in alternating order, never together: in each run a fresh broker, the bridge and the
collectors of one variant, so both have the same company and share a library's pages with as many others (PSS divides
a shared page by its users; PSS still moves with what else runs on the machine, private dirty does not). All programs are
stripped copies in one folder on a disk. CPU and wake-ups are counted for {seconds:g} s, beginning {settling} s after the start; memory is read at the end. Values are medians (lowest to highest) of {rounds} runs each."""

QUANTITIES = (
    ("PSS, KiB", "pss", ".0f"),
    ("RSS, KiB", "rss", ".0f"),
    ("private dirty, KiB", "private_dirty", ".0f"),
    ("CPU, ms per s", "cpu", ".3f"),
    ("wake-ups per s", "wakeups", ".2f"),
    ("stripped binary, KiB", "binary", ".1f"),
)

Reading = dict[str, float]


def measure_footprint(variants: Sequence[Variant], seconds: float, rounds: int) -> str:
    readings: dict[str, list[dict[str, Reading]]] = {variant.name: [] for variant in variants}
    for round_number in range(rounds):
        for variant in variants if round_number % 2 == 0 else reversed(variants):
            readings[variant.name].append(_run(variant, seconds))
    names = [variant.name for variant in variants]
    rows = [
        (f"{program}: {label}", *([run[program][key] for run in readings[name]] for name in names), form)
        for program in [*(shape.program for shape in SHAPES), "all"]
        for label, key, form in QUANTITIES
    ]
    strangers = max(run["all"]["strangers"] for runs in readings.values() for run in runs)
    note = f"\n\n**PSS is not to be used: up to {strangers} other processes shared the libraries.**" if strangers else ""
    method = METHOD.format(seconds=seconds, settling=SETTLING_SECONDS, rounds=rounds)
    return f"## Footprint\n\n{method}\n\n{table('', names, rows)}{note}"


def _run(variant: Variant, seconds: float) -> dict[str, Reading]:
    with Rig(variant) as rig:
        processes = {BRIDGE.program: rig.start_bridge()}
        processes |= {shape.program: rig.start_shape(shape) for shape in COLLECTORS}
        time.sleep(SETTLING_SECONDS)
        for process in processes.values():
            rig.check(process)
        before = {program: _counters(process.pid) for program, process in processes.items()}
        time.sleep(seconds)
        for process in processes.values():
            rig.check(process)
        readings: dict[str, Reading] = {}
        strangers = len(sharers(rig.pids()))
        for program, process in processes.items():
            binary = (variant.folder / program).stat().st_size
            readings[program] = _reading(process.pid, before[program], binary)
        for shape in COLLECTORS:
            if not rig.receive_one(f"stats/{DEVICE}/{shape.program}", 10):
                raise MeasurementError(f"{variant.name}: no record of {shape.program} arrives: {rig.errors()}")
    readings["all"] = {key: sum(each[key] for each in readings.values()) for _, key, _ in QUANTITIES}
    readings["all"]["strangers"] = strangers
    return readings


def _counters(pid: int) -> tuple[float, float, int]:
    return time.monotonic(), cpu_seconds(pid), wakeups(pid)


def _reading(pid: int, before: tuple[float, float, int], binary: int) -> Reading:
    elapsed, cpu, woken = (now - then for now, then in zip(_counters(pid), before))
    kib = memory(pid)
    return {
        "pss": kib["Pss"], "rss": kib["Rss"], "private_dirty": kib["Private_Dirty"],
        "cpu": cpu / elapsed * 1000, "wakeups": woken / elapsed, "binary": binary / 1024,
    }
