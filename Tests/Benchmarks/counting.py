"""Instructions of one sample, counted by valgrind: what two runs of different length differ by, so that the start cancels out."""

import re
import time
from pathlib import Path

from rig import MeasurementError, Rig, Variant, tool, wait_until
from sampling import Drain
from shapes import Shape


def instructions_per_sample(
    variant: Variant, drain_queue: Path, shape: Shape, options: list[str], marker: int, samples: int
) -> float:
    short, long = (_count(variant, drain_queue, shape, options, marker, number) for number in (samples, 3 * samples))
    return (long[0] - short[0]) / (long[1] - short[1])


def _count(
    variant: Variant, drain_queue: Path, shape: Shape, options: list[str], marker: int, samples: int
) -> tuple[int, int]:
    with Rig(variant, with_broker=False) as rig:
        drain = Drain(rig, drain_queue, shape)
        valgrind = [tool("valgrind"), "--tool=callgrind", f"--callgrind-out-file={rig.folder / 'callgrind.out'}"]
        process = rig.start(valgrind + rig.command(shape, *options))
        wait_until(lambda: drain.counts()[marker] >= samples or rig.check(process), 120, "the samples under valgrind")
        time.sleep(0.01)
        rig.end(process)
        collected = re.search(r"Collected : (\d+)", (rig.folder / "errors").read_text())
        if not collected:
            raise MeasurementError(f"valgrind does not say what it counted: {rig.errors()}")
        return int(collected[1]), drain.counts()[marker]
