"""Allocations on the heap in steady state, counted by a library that is loaded before the C library."""

import mmap
import struct
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from accounting import accounting_file
from dlt import TalkingDaemon
from rig import DEVICE, Programs, Rig, Variant, wait_until
from sampling import GROUPS, Drain, file_read_options
from shapes import BRIDGE, DLT, FILE_READ, PACCT, SYSINFO, Shape

METHOD = """\
Allocations of the program's own code, and of the libraries it is linked with, for each record while it works; the first
{warm} records are not counted."""

WARM, COUNTED = 300, 3000


class Allocations:
    def __init__(self, rig: Rig, library: Path):
        self._path = rig.folder / "allocations"
        self._path.write_bytes(bytes(16))
        self.environment = {"LD_PRELOAD": str(library), "ALLOCATIONS": str(self._path)}
        with open(self._path, "rb") as file:
            self._map = mmap.mmap(file.fileno(), 16, prot=mmap.PROT_READ)

    def counts(self) -> tuple[int, int]:
        """All, and those of the program itself."""
        return struct.unpack("2Q", self._map[:])


def measure_allocations(variants: Sequence[Variant], programs: Programs) -> str:
    library = programs.preload("count-allocations.c")
    cases: list[tuple[Shape, Callable[[Variant], tuple[float, float]]]] = [
        (SYSINFO, lambda variant: _sampling(variant, programs, library, SYSINFO, _quick(variant))),
        (FILE_READ, lambda variant: _sampling(
            variant, programs, library, FILE_READ, file_read_options(variant, list(GROUPS), 13))),
        (PACCT, lambda variant: _accounting(variant, programs, library)),
        (DLT, lambda variant: _dlt(variant, programs, library)),
        (BRIDGE, lambda variant: _bridge(variant, programs, library)),
    ]
    names = [variant.name for variant in variants]
    lines = [f"| per record | {' | '.join(f'{name}: own | {name}: libraries' for name in names)} |",
             "|---" + "|---:" * (2 * len(names)) + "|"]
    for shape, run in cases:
        cells = [f"{value:.3f}" for variant in variants for value in run(variant)]
        lines.append(f"| {shape.program} | {' | '.join(cells)} |")
    return "## Allocations\n\n" + METHOD.format(warm=WARM) + "\n\n" + "\n".join(lines)


def _quick(variant: Variant) -> list[str]:
    return ["--interval-ms", "10"] if variant.is_reference else ["--interval", "10ms"]


def _between(allocations: Allocations, told: Callable[[], int], warm: int, counted: int, what: str) -> tuple[float, float]:
    wait_until(lambda: told() >= warm, 60, what)
    before, first = allocations.counts(), told()
    if not any(before):
        raise AssertionError("nothing was counted: the library was not loaded")
    wait_until(lambda: told() >= first + counted, 60, what)
    after, last = allocations.counts(), told()
    everything, own = ((now - then) / (last - first) for now, then in zip(after, before))
    return own, everything - own


def _sampling(
    variant: Variant, programs: Programs, library: Path, shape: Shape, options: list[str]
) -> tuple[float, float]:
    with Rig(variant, with_broker=False) as rig:
        drain, allocations = Drain(rig, programs.drain_queue, shape), Allocations(rig, library)
        rig.start_shape(shape, *options, environment=allocations.environment)
        warm, counted = (WARM, COUNTED) if shape is FILE_READ else (50, 250)
        return _between(allocations, drain.total, warm, counted, f"{variant.name}: records of {shape.program}")


def _accounting(variant: Variant, programs: Programs, library: Path) -> tuple[float, float]:
    with Rig(variant, with_broker=False) as rig:
        drain, allocations = Drain(rig, programs.drain_queue, PACCT), Allocations(rig, library)
        accounting_file(rig.folder / "pacct", 500_000)
        from_start = ["--from", "start"] if variant.is_reference else ["--from-start"]
        rig.start(rig.command(PACCT) + from_start, environment=allocations.environment)
        return _between(allocations, drain.total, WARM, COUNTED, f"{variant.name}: accounting records")


def _dlt(variant: Variant, programs: Programs, library: Path) -> tuple[float, float]:
    with Rig(variant, with_broker=False) as rig, TalkingDaemon(seconds_between=0.001) as daemon:
        rig.places["dlt"] = daemon.port
        drain, allocations = Drain(rig, programs.drain_queue, DLT), Allocations(rig, library)
        rig.start_shape(DLT, environment=allocations.environment)
        return _between(allocations, drain.total, 50, 250, f"{variant.name}: records of the DLT target")


def _bridge(variant: Variant, programs: Programs, library: Path) -> tuple[float, float]:
    with Rig(variant) as rig:
        allocations = Allocations(rig, library)
        bridge = rig.start_shape(BRIDGE, environment=allocations.environment)
        if '"online"' not in rig.receive_one(f"stats/{DEVICE}/status", 20):
            raise AssertionError(rig.errors())
        push = [str(programs.push_records), "--queue-prefix", rig.prefix, "--program", SYSINFO.program, "--count"]
        rig.start([*push, str(WARM)]).wait(20)
        time.sleep(0.5)  # until what is kept has its size, and the last acknowledgement has come
        before = allocations.counts()
        rig.start([*push, str(COUNTED)]).wait(20)
        time.sleep(1)
        rig.check(bridge)
        everything, own = ((now - then) / COUNTED for now, then in zip(allocations.counts(), before))
        return own, everything - own
