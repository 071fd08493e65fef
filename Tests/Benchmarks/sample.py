"""What one full sample of /proc and /sys costs."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

from counting import instructions_per_sample
from measure import table
from rig import MeasurementError, Programs, Rig, Variant, tool, wait_until
from sampling import GROUPS, MARKERS, cost_of_sample, file_read_options, process_total
from shapes import BRIDGE, FILE_READ

PROCESSES = 200
MILLISECONDS = 13  # no divisor of the timer's tick, by which user and system time are told apart

METHOD = """\
All groups are read every {interval} ms for {seconds:g} s while a C program takes the records from the queue; there are {processes} processes.
The variants run in turn, in alternating order. CPU is the scheduler's own clock; user time is its share of the
timer's ticks, so rough. Instructions are counted by callgrind, the difference of a short and a long run; they repeat. What both
tell was compared before: the same kinds of records with the same fields. Values are medians (lowest to highest) of {rounds} runs."""


def measure_sample(variants: Sequence[Variant], programs: Programs, seconds: float, rounds: int) -> str:
    groups = list(GROUPS)
    with Rig(variants[0], with_broker=False) as rig:
        idle = rig.folder / "idle"
        rig.start([str(programs.idle_processes), str(max(0, PROCESSES - process_total()))], idle)
        wait_until(lambda: idle.read_text() == "ready\n", 20, "the idle processes")
        compare_records(variants, programs)
        processes = process_total()
        costs: dict[str, list] = {variant.name: [] for variant in variants}
        for number in range(rounds):
            for variant in variants if number % 2 == 0 else reversed(variants):
                costs[variant.name].append(cost_of_sample(
                    variant, programs.drain_queue, groups, seconds, MILLISECONDS, marker=MARKERS["processes"]))
        counted = {
            variant.name: [instructions_per_sample(
                variant, programs.drain_queue, FILE_READ, file_read_options(variant, groups, 50),
                MARKERS["processes"], 20)]
            for variant in variants
        }
    names = [variant.name for variant in variants]
    rows = [
        ("CPU, us per sample", *([cost.microseconds for cost in costs[name]] for name in names), ",.0f"),
        ("of it in user mode, us", *([cost.user_microseconds for cost in costs[name]] for name in names), ",.0f"),
        ("user instructions per sample", *(counted[name] for name in names), ",.0f"),
        ("records per sample", *([cost.records for cost in costs[name]] for name in names), ".1f"),
    ]
    method = METHOD.format(interval=MILLISECONDS, seconds=seconds, rounds=rounds, processes=processes)
    return f"## Sample of /proc and /sys\n\n{method}\n\n{table('', names, rows)}"


def compare_records(variants: Sequence[Variant], programs: Programs) -> None:
    """Both programs must tell the same: otherwise one of them does less."""
    told = [_fields_by_kind(variant, programs) for variant in variants]
    if told[0] != told[1]:
        different = {kind for kind in told[0].keys() | told[1].keys() if told[0].get(kind) != told[1].get(kind)}
        raise MeasurementError(f"the variants tell different things of {', '.join(sorted(different))}")


def _fields_by_kind(variant: Variant, programs: Programs) -> dict[str, list[str]]:
    """Of the first sample, as the bridge of the device prints it."""
    with Rig(variant, with_broker=False) as rig:
        output = rig.folder / "printed"
        bridge = programs.built / BRIDGE.program
        rig.start([str(bridge), "--config", "/dev/null", "--queue-prefix", rig.prefix, "--print"], output)
        process = rig.start_shape(FILE_READ, *file_read_options(variant, list(GROUPS), 1000))
        time.sleep(0.7)
        rig.check(process)
        records = [json.loads(line) for line in output.read_text().splitlines() if line.endswith("}")]
        found = {record["kind"]: list(record) for record in records if record["kind"] != "source_state"}
        found.pop("process", None)  # optional fields: of whom may what be known
        return found
