#!/usr/bin/env python3
"""Measures our programs against the C programs of the same shape, in the same run, and prints Markdown.

bench.py [footprint|throughput] [--seconds 60] [--rounds 3] [--records 50000] [--programs FOLDER] [--self-check]

It needs cc, strip, mosquitto, mosquitto-clients, libmosquitto-dev and libsystemd-dev.
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
from pathlib import Path

sys.dont_write_bytecode = True  # before the modules beside this file

from footprint import measure_footprint
from rig import HERE, TEMPORARY, MeasurementError, Programs, tool
from throughput import measure_throughput

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "armhf", "armv6l": "armhf"}


def arguments() -> argparse.Namespace:
    built = HERE.parent.parent / ".build" / ARCHITECTURES.get(platform.machine(), platform.machine()) / "release"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("suite", nargs="?", choices=["footprint", "throughput"], help="default: both")
    parser.add_argument("--seconds", type=float, default=60, help="of each footprint run (default 60)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each variant (default 3)")
    parser.add_argument("--records", type=int, default=50000, help="of each throughput run (default 50000)")
    parser.add_argument("--programs", type=Path, default=built, help=f"default {built}")
    parser.add_argument("--self-check", action="store_true", help="the C programs against themselves: ratios near 1")
    return parser.parse_args()


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
        f" fs.mqueue.msg_max {Path('/proc/sys/fs/mqueue/msg_max').read_text().strip()}",
        f"- `{shlex.join(sys.argv)}`",
    ])


def bench(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-", dir=TEMPORARY) as folder:
        programs = Programs(Path(folder))
        first = programs.reference("C again") if options.self_check else programs.ours(options.programs)
        variants = (first, programs.reference("C"))
        print(f"# {variants[0].name} against {variants[1].name}\n\n{machine()}", flush=True)
        if options.suite != "footprint":
            print("\n" + measure_throughput(variants, programs.push_records, options.records, options.rounds), flush=True)
        if options.suite != "throughput":
            print("\n" + measure_footprint(variants, options.seconds, options.rounds), flush=True)


def main() -> int:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    try:
        bench(arguments())
    except MeasurementError as error:
        print(f"bench.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
