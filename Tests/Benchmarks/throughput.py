"""How many records a second the bridge carries from a queue to a subscriber, and what each costs it."""

import json
import re
import struct
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from measure import cpu_seconds, peak_rss, table
from rig import DEVICE, MeasurementError, Rig, Variant, wait_until

QUEUE = "cyclic-sysinfo"
READY_TOPIC, READY = "bench/ready", '{"ready":true}'

METHOD = """\
The variants run in turn, in alternating order. In each run a fresh broker, `mosquitto_sub -q 1 -V 5` into a file, the
bridge, and {records:,} records, in batches {batched:,}, pushed as fast as the queue takes them; the clock runs from the start
of the pushing until the last record is in the subscriber's file. The last batch is full: one that is not waits for 100 ms.
Every sequence number must be there, once. The CPU time is the bridge's own.
Values are medians (lowest to highest) of {rounds} runs each."""

QUANTITIES = (
    ("records per s", "rate", ",.0f"),
    ("CPU of the bridge, us per record", "cpu", ".2f"),
    ("peak RSS of the bridge, KiB", "rss", ",.0f"),
    ("payload, bytes per record", "payload", ".1f"),
)

HEADER = struct.Struct("<4sHHHHIQQ")


@dataclass(frozen=True)
class Load:
    """As what the records are published, and how many in a message."""

    payload: str
    batch: int

    @property
    def arguments(self) -> list[str]:
        return ["--payload", self.payload, "--batch", str(self.batch)]

    def count(self, records: int) -> int:
        """Batches take a fifth of the time, and the last one is to be full."""
        return -(-5 * records // self.batch) * self.batch if self.batch > 1 else records

    @property
    def title(self) -> str:
        return f"`--payload {self.payload}`, " + (f"`--batch {self.batch}`" if self.batch > 1 else "one a message")

    def has_arrived(self, end: bytes, last: int) -> bool:
        """Whether what the file ends with has this sequence number."""
        if self.payload == "record":
            start = end.rfind(b"SREC")
            return start >= 0 and len(end) >= start + HEADER.size and HEADER.unpack_from(end, start)[7] == last
        return (b'"seq":%d,' if self.payload == "json" else b"seq=%di,") % last in end

    def records(self, received: bytes) -> tuple[list[int], list[str]]:
        """The sequence numbers, and the names of the fields of the first record."""
        if self.payload == "record":
            return _sequence_numbers(received), []
        if self.payload == "influx":
            lines = received.decode().splitlines()
            numbers = [int(re.search(r",seq=(\d+)i,", line)[1]) for line in lines]
            return numbers, re.findall(r"[ ,](\w+)=", lines[0])
        decoded = [json.loads(line) for line in received.splitlines()]
        if self.batch > 1:
            decoded = [record for array in decoded for record in array]
        return [record["seq"] for record in decoded], list(decoded[0])


LOADS = (Load("json", 1), Load("json", 32), Load("influx", 32), Load("record", 32))


def measure_throughput(variants: Sequence[Variant], push_records: Path, records: int, rounds: int) -> str:
    names = [variant.name for variant in variants]
    parts = [f"## Throughput\n\n{METHOD.format(records=records, batched=LOADS[-1].count(records), rounds=rounds)}"]
    for load in LOADS:
        readings: dict[str, list[dict]] = {name: [] for name in names}
        for round_number in range(rounds):
            for variant in variants if round_number % 2 == 0 else reversed(variants):
                readings[variant.name].append(_run(variant, load, push_records, load.count(records)))
        rows = [
            (label, *([run[key] for run in readings[name]] for name in names), form) for label, key, form in QUANTITIES
        ]
        fields = _field_difference(names, *(readings[name][0]["fields"] for name in names))
        parts.append(f"### {load.title}\n\n{table('', names, rows)}\n\n{fields}".strip())
    return "\n\n".join(parts)


def _run(variant: Variant, load: Load, push_records: Path, records: int) -> dict:
    with Rig(variant) as rig:
        bridge = rig.start_bridge(*load.arguments)
        received = rig.folder / "received"
        subscriber = _start_subscriber(rig, received)
        cpu, start = cpu_seconds(bridge.pid), time.monotonic()
        pusher = rig.start([str(push_records), "--queue-prefix", rig.prefix, "--program", QUEUE, "--count", str(records)])
        _wait(rig, load, bridge, received, records)
        elapsed = time.monotonic() - start
        if pusher.wait(5) != 0:
            raise MeasurementError(f"push-records failed: {rig.errors()}")
        time.sleep(0.1)  # the last acknowledgements are the bridge's work too
        rig.check(bridge)
        cpu = cpu_seconds(bridge.pid) - cpu
        rss = peak_rss(bridge.pid)
        subscriber.terminate()
        subscriber.wait(5)
        payload = received.read_bytes().split(b"\n", 1)[1]
        fields = _verify(variant, load, payload, records)
        return {"rate": records / elapsed, "cpu": cpu / records * 1e6, "rss": rss, "payload": len(payload) / records, "fields": fields}


def _start_subscriber(rig: Rig, received: Path) -> subprocess.Popen:
    """Returns once the broker has taken the subscription: the retained message has arrived."""
    rig.publish_retained(READY_TOPIC, READY)
    topics = ["-t", READY_TOPIC, "-t", f"stats/{DEVICE}/{QUEUE}"]
    subscriber = rig.subscribe(*topics, output=received)
    wait_until(lambda: received.stat().st_size > 0, 10, "the subscription")
    return subscriber


def _wait(rig: Rig, load: Load, bridge: subprocess.Popen, received: Path, records: int) -> None:
    deadline = time.monotonic() + max(30, records / 500)
    while not load.has_arrived(_end(received), records - 1):
        time.sleep(0.002)
        if time.monotonic() > deadline:
            rig.check(bridge)
            raise MeasurementError(f"{rig.variant.name}: record {records - 1} did not arrive: {rig.errors()}")


def _end(path: Path) -> bytes:
    with open(path, "rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - 2048))
        return file.read()


def _verify(variant: Variant, load: Load, payload: bytes, records: int) -> list[str]:
    """The names of the fields of a record, if every record is there once."""
    numbers, fields = load.records(payload)
    missing = set(range(records)) - set(numbers)
    if missing or len(numbers) != records:
        raise MeasurementError(
            f"{variant.name}: {len(numbers)} records, {len(missing)} missing, the first {sorted(missing)[:5]}")
    return fields


def _sequence_numbers(received: bytes) -> list[int]:
    """Of records one after the other; mosquitto_sub has put a newline behind each message."""
    numbers, place = [], 0
    while place < len(received):
        if received[place] == 0x0A:
            place += 1
            continue
        magic, _, header, _, body, _, _, sequence = HEADER.unpack_from(received, place)
        if magic != b"SREC":
            raise MeasurementError(f"no record at byte {place}")
        numbers.append(sequence)
        place += header + body
    return numbers


def _field_difference(names: Sequence[str], first: list[str], second: list[str]) -> str:
    if not first and not second:
        return ""
    if first == second:
        return f"Both publish the same {len(first)} fields in the same order."
    only = [sorted(set(one) - set(other)) for one, other in ((first, second), (second, first))]
    if not any(only):
        return f"Both publish the same {len(first)} fields, in another order."
    return f"The payloads differ: only {names[0]} has {only[0]}, only {names[1]} has {only[1]}."
