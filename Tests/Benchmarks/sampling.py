"""What one sample costs: a program samples as fast as an interval says, and another one takes its records at once."""

import contextlib
import mmap
import os
import struct
import time
from dataclasses import dataclass
from pathlib import Path

from measure import cpu_seconds
from rig import MeasurementError, Rig, Variant, wait_until
from shapes import FILE_READ, Shape

KINDS = 256
GROUPS = {
    "cpu": "c", "memory": "m", "network": "n", "disks": "d", "file-systems": "f", "processes": "p", "temperatures": "t",
    "sensors": "s",
}
# Records of which a sample of the group has one.
MARKERS = {"cpu": 33, "memory": 35, "network": 38, "processes": 43}


class Drain:
    """Takes what comes into a program's queue, and counts it."""

    def __init__(self, rig: Rig, program: Path, shape: Shape, prefix: str = ""):
        self._path = rig.folder / f"counts-{shape.program}"
        self._path.write_bytes(bytes(KINDS * 8))
        self.process = rig.start(
            [str(program), "--queue-prefix", prefix or rig.prefix, "--program", shape.program, "--counts", str(self._path)])
        with contextlib.suppress(PermissionError):  # else what else runs on the machine may keep it from its work
            os.setpriority(os.PRIO_PROCESS, self.process.pid, -15)
        with open(self._path, "rb") as file:
            self._map = mmap.mmap(file.fileno(), KINDS * 8, prot=mmap.PROT_READ)

    def counts(self) -> tuple[int, ...]:
        """By kind; the first is what was dropped."""
        return struct.unpack(f"{KINDS}Q", self._map[:])

    def total(self) -> int:
        return sum(self.counts()[1:])


@dataclass(frozen=True)
class SampleCost:
    microseconds: float
    user_microseconds: float
    records: float
    samples: int


def file_read_options(variant: Variant, groups: list[str], milliseconds: int) -> list[str]:
    """These groups, each at every interval."""
    if variant.is_reference:
        letters = "".join(GROUPS[group] for group in groups)
        return ["--interval-ms", str(milliseconds), "--slow-every", "1", "--groups", letters]
    options = ["--interval", f"{milliseconds}ms"]
    for group in GROUPS:
        options += [f"--{group}-interval", f"{milliseconds}ms" if group in groups else "off"]
    return options + ["--flash-wear-interval", "off", "--raspberry-pi-interval", "off"]


def cost_of_sample(
    variant: Variant, drain_queue: Path, groups: list[str], seconds: float, milliseconds: int, *more: str, marker: int,
    per_sample: int = 1,
) -> SampleCost:
    """CPU time of a sample, of which `per_sample` records of the kind `marker` tell."""
    with Rig(variant, with_broker=False) as rig:
        drain = Drain(rig, drain_queue, FILE_READ)
        process = rig.start_shape(FILE_READ, *file_read_options(variant, groups, milliseconds), *more)
        wait_until(lambda: drain.counts()[marker] >= 3 * per_sample or rig.check(process), 60, "the third sample")
        before = drain.counts(), cpu_seconds(process.pid), user_share(process.pid)
        time.sleep(seconds)
        after = drain.counts(), cpu_seconds(process.pid), user_share(process.pid)
        rig.check(process)
        dropped, records = after[0][0] - before[0][0], sum(after[0][1:]) - sum(before[0][1:])
        if dropped > records / 100:
            raise MeasurementError(f"{variant.name}: {dropped} records were dropped, {records} were not")
        samples = (after[0][marker] - before[0][marker]) / per_sample
        if samples < 1:
            raise MeasurementError(f"{variant.name}: no sample within {seconds} s")
        user, all_ticks = (now - then for now, then in zip(after[2], before[2]))
        microseconds = (after[1] - before[1]) / samples * 1e6
        return SampleCost(
            microseconds, microseconds * user / max(1, all_ticks),
            records / samples, int(samples))


def user_share(pid: int) -> tuple[int, int]:
    """Ticks in user mode, and all."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]), int(fields[11]) + int(fields[12])


def process_total() -> int:
    return sum(name.isdigit() for name in os.listdir("/proc"))
