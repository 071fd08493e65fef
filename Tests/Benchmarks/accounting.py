"""How many accounting records a second are read, decoded and queued."""

import struct
import time
from collections.abc import Sequence
from pathlib import Path

from measure import cpu_seconds, table
from rig import Programs, Rig, Variant, wait_until
from sampling import Drain
from shapes import PACCT

PROCESS_EXIT = 64
FIXTURE = Path(__file__).resolve().parent.parent / "Fixtures/pacct/linux-6.18-amd64.pacct"

METHOD = """\
A file of {records:,} records (those of a real machine, again and again with other process ids) is read from its start, and a C
program takes them from the queue. The clock runs from the start of the program to the last record. The variants run in
turn, in alternating order. Values are medians (lowest to highest) of {rounds} runs."""


def accounting_file(path: Path, records: int) -> int:
    """Records of processes that ended, no two of them alike in succession; returns how many will be told."""
    captured = FIXTURE.read_bytes()
    pieces = [captured[offset:offset + 64] for offset in range(0, len(captured) - 63, 64)]
    # What acct(2) writes for its caller, which has not ended, is left out by our program.
    pieces = [piece for piece in pieces if piece[1] & 0x7F == 3 and (piece[36:38] != b"\0\0" or piece[0] & 1)]
    with open(path, "wb") as file:
        for number in range(records):
            piece = pieces[number % len(pieces)]
            file.write(piece[:16] + struct.pack("<I", 1000 + number) + piece[20:])
    return records


def measure_accounting(variants: Sequence[Variant], programs: Programs, records: int, rounds: int) -> str:
    readings: dict[str, list[tuple[float, float]]] = {variant.name: [] for variant in variants}
    for number in range(rounds):
        for variant in variants if number % 2 == 0 else reversed(variants):
            readings[variant.name].append(_run(variant, programs, records))
    names = [variant.name for variant in variants]
    rows = [
        ("records per s", *([rate for rate, _ in readings[name]] for name in names), ",.0f"),
        ("CPU, us per record", *([cpu for _, cpu in readings[name]] for name in names), ".3f"),
    ]
    method = METHOD.format(records=records, rounds=rounds)
    return f"## Accounting\n\n{method}\n\n{table('', names, rows)}"


def _run(variant: Variant, programs: Programs, records: int) -> tuple[float, float]:
    with Rig(variant, with_broker=False) as rig:
        told = accounting_file(rig.folder / "pacct", records)
        drain = Drain(rig, programs.drain_queue, PACCT)
        time.sleep(0.1)
        from_start = ["--from", "start"] if variant.is_reference else ["--from-start"]
        start = time.monotonic()
        process = rig.start(rig.command(PACCT) + from_start)
        wait_until(
            lambda: drain.counts()[PROCESS_EXIT] >= told or rig.check(process), max(30, records / 2000),
            f"{variant.name}: all accounting records", interval=0.002)
        elapsed = time.monotonic() - start
        return told / elapsed, cpu_seconds(process.pid) / told * 1e6
