#!/usr/bin/env python3
"""Measures our programs against the C programs of the same shape, in the same run, and prints Markdown.

bench.py [SUITE] [--seconds 20] [--rounds 3] [--records 50000] [--programs FOLDER] [--self-check]

Without SUITE all of them; Tests/Benchmarks/README.md says what each is.
"""

import argparse
import datetime
import os
import platform
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.dont_write_bytecode = True  # before the modules beside this file

from accounting import measure_accounting
from allocations import measure_allocations
from footprint import measure_footprint
from growth import measure_growth
from latency import measure_latency
from peers import measure_peers
from rig import HERE, TEMPORARY, MeasurementError, Programs, Variant, tool
from sample import measure_sample
from throughput import measure_throughput

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "armhf", "armv6l": "armhf"}

Suite = Callable[[argparse.Namespace, Sequence[Variant], Programs], str]
SUITES: dict[str, Suite] = {
    "throughput": lambda o, variants, programs: measure_throughput(variants, programs.push_records, o.records, o.rounds),
    "sample": lambda o, variants, programs: measure_sample(variants, programs, o.seconds / 4, o.rounds),
    "accounting": lambda o, variants, programs: measure_accounting(variants, programs, 4 * o.records, o.rounds),
    "allocations": lambda o, variants, programs: measure_allocations(variants, programs),
    "growth": lambda o, variants, programs: measure_growth(variants, programs, o.seconds / 40),
    "latency": lambda o, variants, programs: measure_latency(variants, programs, o.rounds),
    "footprint": lambda o, variants, programs: measure_footprint(variants, programs, o.seconds, o.rounds),
    "peers": lambda o, variants, programs: measure_peers(variants[0], o.seconds / 2),
}


def arguments() -> argparse.Namespace:
    built = HERE.parent.parent / ".build" / ARCHITECTURES.get(platform.machine(), platform.machine()) / "release"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("suite", nargs="?", choices=list(SUITES), help="default: all")
    parser.add_argument("--seconds", type=float, default=20, help="of each footprint run (default 20)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each variant (default 3)")
    parser.add_argument("--records", type=int, default=50000, help="of each throughput run, five times as many in batches (default 50000)")
    parser.add_argument("--programs", type=Path, default=built, help=f"default {built}")
    parser.add_argument("--self-check", action="store_true", help="the C programs against themselves: ratios near 1")
    return parser.parse_args()


MSG_MAX = Path("/proc/sys/fs/mqueue/msg_max")


@contextmanager
def queues_as_installed() -> Iterator[None]:
    """Queues may be as deep as the package lets them be, where this user may say so; afterwards it is as before."""
    before = MSG_MAX.read_text()
    installed = next(
        line.split("=")[1] for line in (HERE.parent.parent / "units/sysctl.conf").read_text().splitlines()
        if line.startswith("fs.mqueue.msg_max"))
    try:
        MSG_MAX.write_text(installed)
    except PermissionError:
        print(f"bench.py: not root: {MSG_MAX} stays {before.strip()}", file=sys.stderr)
    try:
        yield
    finally:
        if MSG_MAX.read_text() != before:
            MSG_MAX.write_text(before)


def version(*command: str) -> str:
    """The first line, whatever the exit status: mosquitto_sub --version ends with 1."""
    return subprocess.run([tool(command[0]), *command[1:]], capture_output=True, text=True).stdout.splitlines()[0]


def machine() -> str:
    cpu = next(
        (line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
         if line.startswith(("model name", "Model"))), platform.machine())
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    return "\n".join([
        f"- {datetime.datetime.now().astimezone():%Y-%m-%d %H:%M %Z}, Linux {platform.release()},"
        f" {os.cpu_count()} x {cpu}, load before {load}",
        f"- {version('cc', '--version')}, -O2; {version('mosquitto', '-h')};"
        f" fs.mqueue.msg_max {MSG_MAX.read_text().strip()}",
        f"- `{shlex.join(sys.argv)}`",
    ])


def bench(options: argparse.Namespace) -> int:
    """The number of suites that could not be measured."""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="bench-", dir=TEMPORARY) as folder:
        programs = Programs(Path(folder), options.programs)
        first = programs.reference("C again") if options.self_check else programs.ours()
        variants = (first, programs.reference("C"))
        print(f"# {variants[0].name} against {variants[1].name}\n\n{machine()}", flush=True)
        for name, suite in SUITES.items():
            if options.suite not in (None, name):
                continue
            try:
                print("\n" + suite(options, variants, programs), flush=True)
            except MeasurementError as error:  # one that fails must not take the others' figures along
                print(f"bench.py: {name}: {error}", file=sys.stderr)
                failed += 1
    return failed


def main() -> int:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    try:
        options = arguments()
        with queues_as_installed():
            return 1 if bench(options) else 0
    except MeasurementError as error:
        print(f"bench.py: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
