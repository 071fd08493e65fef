"""What the kernel says about a process, and medians over rounds."""

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path


def memory(pid: int) -> dict[str, int]:
    """Rss, Pss, Private_Dirty and so on, in KiB, from smaps_rollup."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {name: int(rest.split()[0]) for name, rest in (line.split(":", 1) for line in lines)}


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads, to the nanosecond: the clock of clock_getcpuclockid(3)."""
    return time.clock_gettime_ns((~pid << 3) | 2) / 1e9


def wakeups(pid: int) -> int:
    """How often the threads slept and were woken."""
    return sum(_status(task, "voluntary_ctxt_switches") for task in Path(f"/proc/{pid}/task").iterdir())


def peak_rss(pid: int) -> int:
    """KiB."""
    return _status(Path(f"/proc/{pid}"), "VmHWM")


def sharers(pids: set[int]) -> set[int]:
    """Other processes that have mapped a library of these: they lower these processes' PSS. The C library does not count."""
    libraries = {name for pid in pids for name in _libraries(pid)}
    others = {int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()} - pids
    return {pid for pid in others if _libraries(pid) & libraries}


def _libraries(pid: int) -> set[str]:
    try:
        lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    except OSError:  # ended meanwhile, or not ours to read
        return set()
    paths = {line.split(maxsplit=5)[5] for line in lines if ".so" in line}
    return {path for path in paths if not Path(path).name.startswith(("libc.", "ld-", "libm.", "libpthread."))}


def _status(folder: Path, name: str) -> int:
    for line in (folder / "status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise KeyError(name)


def table(title: str, names: Sequence[str], rows: Sequence[tuple[str, Sequence[float], Sequence[float], str]]) -> str:
    """Rows of (what, values of the first, values of the second, format) as Markdown, with the ratio of the medians."""
    lines = [f"| {title} | {names[0]} | {names[1]} | {names[0]} / {names[1]} |", "|---|---:|---:|---:|"]
    for what, first, second, form in rows:
        divisor = statistics.median(second)
        ratio = f"{statistics.median(first) / divisor:.2f}" if divisor else "–"
        lines.append(f"| {what} | {_spread(first, form)} | {_spread(second, form)} | {ratio} |")
    return "\n".join(lines)


def _spread(values: Sequence[float], form: str) -> str:
    show: Callable[[float], str] = lambda value: format(value, form)
    low, high = show(min(values)), show(max(values))
    median = show(statistics.median(values))
    return median if low == high else f"{median} ({low} to {high})"
