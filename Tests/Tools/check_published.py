#!/usr/bin/env python3
"""Reads lines of topic, tab, JSON, and ends with status 1 at the first one that nobody may publish.

Bytes in, so that nothing has mended them before: both are UTF-8, the JSON is one object of RFC 8259,
flat but for the two arrays of a histogram, without a key twice, without NaN and without half a
surrogate, the topic is one of MQTT 5, 4.7, that mosquitto takes, below the folder that was asked for.
An independent parser is the point.

    check_published.py [--count N] [--below TOPIC] [--kinds FOLDER-OF-GOLDEN-RECORDS]
"""

import argparse
import collections
import json
import os
import re
import sys

# MQTT 5, 1.5.4 and 4.7: wildcards and NUL are forbidden; mosquitto refuses control characters and
# noncharacters too.
NOT_IN_A_TOPIC = re.compile(
    "[+#\x00-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff"
    + "".join(chr(plane << 16 | low) for plane in range(1, 17) for low in (0xFFFE, 0xFFFF))
    + "]"
)


def unlike_json(word):
    raise ValueError(f"{word} is not JSON")


def members(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"twice: {[key for key in keys if keys.count(key) > 1]}")
    return found


def check_buckets(bounds, counts):
    """Bounds are 0, 1, 3, 7 and so on; the last bucket counted something."""
    if bounds is None and counts is None:
        return
    if bounds != [2**index - 1 for index in range(len(bounds))] or len(bounds) != len(counts):
        raise ValueError("upper_bounds are not those of the counts")
    if not all(type(count) is int and 0 <= count < 2**64 for count in counts):
        raise ValueError("a count is none")
    if counts and counts[-1] == 0:
        raise ValueError("empty buckets at the end")


DECODER = json.JSONDecoder(object_pairs_hook=members, parse_constant=unlike_json)


def check(line, below):
    """Returns the kind of the record."""
    if not line.endswith(b"\n"):
        raise ValueError("the line has no end")
    topic, tab, text = line[:-1].decode("utf-8", "strict").partition("\t")
    if not tab:
        raise ValueError("no tab")
    if NOT_IN_A_TOPIC.search(topic) or len(topic.encode()) > 65535 or topic.count("/") > 199:
        raise ValueError("the topic is none")
    levels = topic.removeprefix(below)
    if not topic.startswith(below) or levels and levels[0] != "/" or "" in levels.split("/")[1:]:
        raise ValueError(f"the topic is not below {below}")
    found = DECODER.decode(text)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    for key, value in found.items():
        if isinstance(value, list) and key in ("upper_bounds", "counts"):
            continue
        if isinstance(value, (dict, list)) or value is None:
            raise ValueError(f"{key} is not flat")
        if isinstance(value, str):
            value.encode("utf-8", "strict")  # fails on half a surrogate
    check_buckets(found.get("upper_bounds"), found.get("counts"))
    if not isinstance(found["time"], (int, float)) or not isinstance(found["seq"], int):
        raise ValueError("no time, or no sequence number")
    return found["kind"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, help="so many lines there must be")
    parser.add_argument("--below", default="", help="what every topic begins with")
    parser.add_argument("--kinds", help="a folder with a file for each kind that must occur")
    wanted = parser.parse_args()
    kinds = collections.Counter()
    for number, line in enumerate(sys.stdin.buffer, 1):
        try:
            kinds[check(line, wanted.below)] += 1
        except (ValueError, KeyError) as error:
            sys.exit(f"line {number}: {error}: {line!r}")
    count = sum(kinds.values())
    if wanted.count is not None and count != wanted.count:
        sys.exit(f"{count} lines instead of {wanted.count}")
    if wanted.kinds:
        named = {name.split(".")[0] for name in os.listdir(wanted.kinds) if name.endswith(".hex")}
        if named != set(kinds):
            sys.exit(f"not the kinds of {wanted.kinds}: {sorted(named ^ set(kinds))}")
    print(f"{count} messages of {len(kinds)} kinds")


main()
