#!/usr/bin/env python3
"""Renders Jinja templates as Home Assistant does with `value_json`.

Reads from standard input a JSON array of {"template": ..., "payload": ...}, where the payload is the
text of a message, and prints a JSON array of the results.
"""

import json
import sys

from jinja2.sandbox import ImmutableSandboxedEnvironment

environment = ImmutableSandboxedEnvironment()
cases = json.load(sys.stdin)
print(json.dumps([
    environment.from_string(case["template"]).render(value_json=json.loads(case["payload"])).strip()
    for case in cases
]))
