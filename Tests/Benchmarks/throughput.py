"""How many records a second the bridge carries from a queue to a subscriber, and what each costs it."""

import json
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from measure import cpu_seconds, peak_rss, table
from rig import DEVICE, MeasurementError, Rig, Variant, wait_until

QUEUE = "cyclic-sysinfo"
READY_TOPIC, READY = "bench/ready", '{"ready":true}'

METHOD = """\
The variants run in turn, in alternating order. In each run a fresh broker, `mosquitto_sub -q 1 -V 5` into a file, the
bridge, and {records} records pushed as fast as the queue takes them; the clock runs from the start of the pushing until
the subscriber has received as many messages. Every sequence number must be there. The CPU time is the bridge's own.
Values are medians (lowest to highest) of {rounds} runs each."""

QUANTITIES = (
    ("records per s", "rate", ",.0f"),
    ("CPU of the bridge, us per record", "cpu", ".2f"),
    ("peak RSS of the bridge, KiB", "rss", ",.0f"),
    ("payload, bytes per record", "payload", ".1f"),
)


def measure_throughput(variants: Sequence[Variant], push_records: Path, records: int, rounds: int) -> str:
    readings: dict[str, list[dict]] = {variant.name: [] for variant in variants}
    for round_number in range(rounds):
        for variant in variants if round_number % 2 == 0 else reversed(variants):
            readings[variant.name].append(_run(variant, push_records, records))
    names = [variant.name for variant in variants]
    rows = [
        (label, *([run[key] for run in readings[name]] for name in names), form) for label, key, form in QUANTITIES
    ]
    method = METHOD.format(records=records, rounds=rounds)
    fields = _field_difference(names, *(readings[name][0]["fields"] for name in names))
    return f"## Throughput\n\n{method}\n\n{table('', names, rows)}\n\n{fields}"


def _run(variant: Variant, push_records: Path, records: int) -> dict:
    with Rig(variant) as rig:
        bridge = rig.start_bridge()
        received = rig.folder / "received"
        subscriber = _start_subscriber(rig, received, records)
        cpu, start = cpu_seconds(bridge.pid), time.monotonic()
        pusher = rig.start([str(push_records), "--queue-prefix", rig.prefix, "--program", QUEUE, "--count", str(records)])
        _wait(rig, subscriber, bridge, received, records)
        elapsed = time.monotonic() - start
        if pusher.wait(5) != 0:
            raise MeasurementError(f"push-records failed: {rig.errors()}")
        time.sleep(0.1)  # the last acknowledgements are the bridge's work too
        rig.check(bridge)
        cpu = cpu_seconds(bridge.pid) - cpu
        payloads = received.read_bytes().splitlines()[1:]
        fields = _verify(variant, payloads, records)
        size = sum(map(len, payloads)) / records
        return {
            "rate": records / elapsed, "cpu": cpu / records * 1e6, "rss": peak_rss(bridge.pid), "payload": size,
            "fields": fields,
        }


def _start_subscriber(rig: Rig, received: Path, records: int) -> subprocess.Popen:
    """Returns once the broker has taken the subscription: the retained message has arrived."""
    rig.publish_retained(READY_TOPIC, READY)
    topics = ["-t", READY_TOPIC, "-t", f"stats/{DEVICE}/{QUEUE}"]
    subscriber = rig.subscribe(*topics, "-C", str(records + 1), output=received)
    wait_until(lambda: received.stat().st_size > 0, 10, "the subscription")
    return subscriber


def _wait(rig: Rig, subscriber: subprocess.Popen, bridge: subprocess.Popen, received: Path, records: int) -> None:
    """The subscriber ends by itself at the last record."""
    deadline = time.monotonic() + max(30, records / 500)
    while True:
        try:
            subscriber.wait(1)
            return
        except subprocess.TimeoutExpired:
            rig.check(bridge)
            if time.monotonic() > deadline:
                count = received.read_bytes().count(b"\n") - 1
                raise MeasurementError(f"{rig.variant.name}: {count} of {records} arrived: {rig.errors()}") from None


def _verify(variant: Variant, payloads: list[bytes], records: int) -> list[str]:
    """The names of the fields of a record, if every record is there once."""
    decoded = [json.loads(payload) for payload in payloads]
    missing = set(range(records)) - {record["seq"] for record in decoded}
    if missing or len(decoded) != records:
        raise MeasurementError(
            f"{variant.name}: {len(decoded)} records, {len(missing)} missing, the first {sorted(missing)[:5]}")
    return list(decoded[0])


def _field_difference(names: Sequence[str], first: list[str], second: list[str]) -> str:
    if first == second:
        return f"Both publish the same {len(first)} fields in the same order."
    only = [sorted(set(one) - set(other)) for one, other in ((first, second), (second, first))]
    if not any(only):
        return f"Both publish the same {len(first)} fields, in another order."
    return f"The payloads differ: only {names[0]} has {only[0]}, only {names[1]} has {only[1]}."
