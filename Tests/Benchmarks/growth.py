"""How the cost of a sample grows with what there is to read: captures of machines that do not exist."""

import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rig import TEMPORARY, Programs, Variant
from sampling import cost_of_sample

METHOD = """\
One group reads files that were made up, in a folder that stands for /proc and /sys, again and again for {seconds:g} s. `slope` is that of
the line through the medians, fitted to relative distances so that each size counts alike; `off` is how far the farthest size lies off it, in
percent. The variants run in turn; {rounds} runs each."""

ROUNDS = 3


@dataclass(frozen=True)
class Growth:
    what: str
    group: str
    sizes: tuple[int, ...]
    marker: int
    """A sample has so many records of the marker's kind for a size."""
    records: Callable[[int], int]
    make: Callable[[Path, int], None]


def measure_growth(variants: Sequence[Variant], programs: Programs, seconds: float) -> str:
    lines = ["| what, us per sample | " + " | ".join(f"{variant.name}" for variant in variants) + " | ratio |",
             "|---|" + "---:|" * (len(variants) + 1)]
    for growth in GROWTHS:
        medians = {variant.name: [] for variant in variants}
        for size in growth.sizes:
            with tempfile.TemporaryDirectory(prefix="bench-capture-", dir=TEMPORARY) as folder:
                growth.make(Path(folder), size)
                costs: dict[str, list[float]] = {variant.name: [] for variant in variants}
                for number in range(ROUNDS):
                    for variant in variants if number % 2 == 0 else reversed(variants):
                        costs[variant.name].append(cost_of_sample(
                            variant, programs.drain_queue, [growth.group], seconds, 11, "--procfs", folder, "--sysfs",
                            folder, marker=growth.marker, per_sample=growth.records(size)).microseconds)
            for variant in variants:
                medians[variant.name].append(statistics.median(costs[variant.name]))
            lines.append(_row(f"{size:,} {growth.what}", [medians[variant.name][-1] for variant in variants], ",.1f"))
        fits = [fit(growth.sizes, medians[variant.name]) for variant in variants]
        lines.append(_row(f"slope, us for each of the {growth.what}", [slope for slope, _ in fits], ".3f"))
        lines.append(_row(f"off the line, {growth.what}", [off * 100 for _, off in fits], ".0f", ratio=False))
    return "## Growth\n\n" + METHOD.format(seconds=seconds, rounds=ROUNDS) + "\n\n" + "\n".join(lines)


def fit(sizes: Sequence[int], costs: Sequence[float]) -> tuple[float, float]:
    """The slope of the line that lies nearest, by relative distance, and the largest such distance."""
    weights = [1 / cost ** 2 for cost in costs]
    total = sum(weights)
    mean_size = sum(w * x for w, x in zip(weights, sizes)) / total
    mean_cost = sum(w * y for w, y in zip(weights, costs)) / total
    slope = (sum(w * (x - mean_size) * (y - mean_cost) for w, x, y in zip(weights, sizes, costs))
             / sum(w * (x - mean_size) ** 2 for w, x in zip(weights, sizes)))
    return slope, max(abs(y - mean_cost - slope * (x - mean_size)) / y for x, y in zip(sizes, costs))


def _row(what: str, values: Sequence[float], form: str, ratio: bool = True) -> str:
    share = f"{values[0] / values[1]:.2f}" if ratio and values[1] else "–"
    return f"| {what} | {' | '.join(format(value, form) for value in values)} | {share} |"


# ---- The captures ----


def _processes(folder: Path, size: int) -> None:
    (folder / "self").symlink_to("1000")
    for number in range(size):
        process = folder / str(1000 + number)
        process.mkdir()
        rest = "1 2 2 0 -1 4194304 5240 0 3 0 {u} {s} 0 0 20 0 4 0 {start} 23511040 {rss} 18446744073709551615 1 1 0 0 0 0 0"
        numbers = rest.format(u=number * 7 % 5000, s=number % 900, start=1000 + number, rss=500 + number * 37 % 20000)
        (process / "stat").write_text(f"{1000 + number} (worker-{number}) S {numbers} 4096 16384 0 0 0 17 1 0 0 0 0 0\n")
        (process / "statm").write_text(f"5740 {500 + number * 37 % 20000} 300 100 0 900 0\n")
        (process / "io").write_text("rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 4096\nwrite_bytes: 8192\n"
                                    "cancelled_write_bytes: 0\n")


def _cpus(folder: Path, size: int) -> None:
    line = "cpu{} 70070 12 25082 478951 2049 0 1342 46 0 0\n"
    (folder / "stat").write_text(
        line.format(" ") + "".join(line.format(cpu) for cpu in range(size))
        + "intr 1286986 0 0 9 0\nctxt 5794048\nbtime 1795246496\nprocesses 39365\nprocs_running 4\nprocs_blocked 0\n"
        + "softirq 4100491 0 1 2 3\n")
    for cpu in range(size):
        frequency = folder / f"devices/system/cpu/cpu{cpu}/cpufreq"
        frequency.mkdir(parents=True)
        (frequency / "scaling_cur_freq").write_text("1500000\n")
        (frequency / "scaling_max_freq").write_text("1800000\n")


def _interfaces(folder: Path, size: int) -> None:
    (folder / "net").mkdir()
    heading = ("Inter-|   Receive                                                |  Transmit\n"
               " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls "
               "carrier compressed\n")
    (folder / "net/dev").write_text(heading + "".join(
        f"{f'eth{number}':>6}: 894522046   20926    0    0    0     0          0         0   965970   11081    0    0    0"
        "     0       0          0\n" for number in range(size)))
    (folder / "net/sockstat").write_text("sockets: used 26\nTCP: inuse 1 orphan 0 tw 0 alloc 1 mem 183\n")
    for number in range(size):
        interface = folder / f"class/net/eth{number}"
        interface.mkdir(parents=True)
        (interface / "operstate").write_text("up\n")
        (interface / "speed").write_text("1000\n")
        (interface / "carrier_changes").write_text("2\n")


def _disks(folder: Path, size: int) -> None:
    (folder / "diskstats").write_text("".join(
        f"{8 + number // 16:4} {number % 16:7} sd{number} 18642 7291 1427106 127354 9210 12877 702530 301478 0 119890 428833 0 0 0 0"
        " 120 340\n" for number in range(size)))
    for number in range(size):
        (folder / f"dev/block/{8 + number // 16}:{number % 16}").mkdir(parents=True)


GROWTHS = (
    Growth("processes", "processes", (100, 1000, 10000), 43, lambda size: 1, _processes),
    Growth("CPUs", "cpu", (1, 16, 64, 256), 33, lambda size: 1, _cpus),
    Growth("interfaces", "network", (1, 20, 200), 38, lambda size: 1, _interfaces),
    Growth("disks", "disks", (1, 20, 200), 40, lambda size: size, _disks),
)
