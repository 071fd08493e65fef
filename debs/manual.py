#!/usr/bin/env python3
"""Writes the man page of the host tool, stats-recording(1), from what the program says of itself.

    stats-recording --experimental-dump-help | debs/manual.py YYYY-MM-DD >stats-recording.1

So every option of every command is described there, in the words of --help. mdoc(7).
"""

import json
import re
import sys
from datetime import date

SEE_ALSO = """\
.Sh SEE ALSO
.Xr stats-recording-fields 7 ,
.Xr posix-mq-to-mqtt-bridge 8 ,
.Xr stats-recording 8"""


def text(words: str) -> str:
    """Text that roff takes for nothing else."""
    words = words.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", words)


def sentences(words: str) -> list[str]:
    """A line for each sentence, as mdoc(7) wants it."""
    return [text(each) for each in re.split(r"(?<=[.!?]) +", words.strip()) if each]


def macro_argument(words: str) -> str:
    return text(words).replace('"', "\\(dq")


def paragraphs(words: str) -> list[str]:
    """Prose as it is; indented lines, which are examples, as they stand."""
    lines: list[str] = []
    literal = False
    for line in words.splitlines():
        indented = line.startswith("  ")
        if indented != literal:
            lines.append(".Bd -literal -offset indent -compact" if indented else ".Ed")
            literal = indented
        if line.strip():
            lines += [text(line.strip())] if literal else sentences(line)
        elif lines and not literal and lines[-1] != ".Pp":
            lines.append(".Pp")
    if literal:
        lines.append(".Ed")
    while lines and lines[-1] == ".Pp":
        lines.pop()
    return lines


def flag(name: dict) -> str:
    hyphens = "" if name["kind"] in ("short", "longWithSingleDash") else "-"
    return f"Fl {hyphens.replace('-', chr(92) + '-')}{text(name['name'])}"


def heading(argument: dict) -> str:
    value = f"Ar {macro_argument(argument.get('valueName', 'value'))}"
    if argument["kind"] == "positional":
        return f".It {value}" + (" ..." if argument["isRepeating"] else "")
    names = " , ".join(flag(name) for name in argument["names"])
    return f".It {names}" + (f" {value}" if argument["kind"] == "option" else "")


def describe(argument: dict) -> list[str]:
    lines = [heading(argument)]
    words = argument.get("abstract", "")
    if words:
        lines += [each for line in words.splitlines() for each in sentences(line)]
    if argument.get("discussion"):
        lines += paragraphs(argument["discussion"])
    default = argument.get("defaultValue")
    if default not in (None, "", "false"):
        lines.append(f"The default is {text(default)}.")
    return lines


def options(command: dict) -> list[str]:
    shown = [each for each in command.get("arguments", []) if each.get("shouldDisplay", True)]
    if not shown:
        return []
    lines = [".Bl -tag -width Ds"]
    for argument in shown:
        lines += describe(argument)
    return lines + [".El"]


def section(command: dict, before: str = "") -> list[str]:
    name = f"{before}{command['commandName']}"
    lines = [f".Ss {macro_argument(name)}", *sentences(command.get("abstract", ""))]
    if command.get("discussion"):
        lines += [".Pp"] + paragraphs(command["discussion"])
    lines += options(command)
    for each in command.get("subcommands", []):
        lines += section(each, name + " ")
    return lines


def main() -> None:
    command = json.load(sys.stdin)["command"]
    day = date.fromisoformat(sys.argv[1])
    commands = [each for each in command["subcommands"] if each.get("shouldDisplay", True) and each["commandName"] != "help"]
    summary = command["abstract"].rstrip(".")
    lines = [
        f".Dd {day:%B} {day.day}, {day.year}", ".Dt STATS-RECORDING 1", ".Os",
        ".Sh NAME", ".Nm stats-recording", f".Nd {text(summary[0].lower() + summary[1:])}",
        ".Sh SYNOPSIS", ".Nm", ".Ar command", ".Op Ar option ...",
        ".Sh DESCRIPTION", *paragraphs(command.get("discussion", "")), ".Sh COMMANDS",
    ]
    for each in commands:
        lines += section(each)
    lines += [".Sh EXIT STATUS", "0 on success, 64 for a mistake on the command line, 1 otherwise.", SEE_ALSO]
    print("\n".join(lines))


if __name__ == "__main__":
    main()
