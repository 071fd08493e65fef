#!/usr/bin/env python3
"""split.py CAPTURE FOLDER: of a capture of busctl the messages that systemd and the bus send, a file
each: two of every signal and reply, of PropertiesChanged two for each type of unit and failure."""

import re
import struct
import sys
from collections import Counter
from pathlib import Path

data = Path(sys.argv[1]).read_bytes()
folder = Path(sys.argv[2])


def packets():
    """Up to systemd 250 pcap, from then on pcapng, both little-endian."""
    magic = struct.unpack_from("<I", data)[0]
    if magic == 0xA1B2C3D4:
        offset = 24
        while offset < len(data):
            size = struct.unpack_from("<I", data, offset + 8)[0]
            yield data[offset + 16 : offset + 16 + size]
            offset += 16 + size
        return
    assert magic == 0x0A0D0D0A, "not a capture of busctl"
    offset = 0
    while offset < len(data):
        kind, length = struct.unpack_from("<II", data, offset)
        if kind == 6:
            size = struct.unpack_from("<I", data, offset + 20)[0]
            yield data[offset + 28 : offset + 28 + size]
        offset += length


def fields(message):
    """The header's fields by their codes; all that interests here are texts or u32."""
    found, offset, end = {}, 16, 16 + struct.unpack_from("<I", message, 12)[0]
    while offset < end:
        offset = (offset + 7) & ~7
        code, signature = message[offset], message[offset + 2 : offset + 3]
        offset += 4
        if signature == b"u":
            offset = (offset + 3) & ~3
            found[code] = struct.unpack_from("<I", message, offset)[0]
            offset += 4
        elif signature == b"g":
            length = message[offset]
            found[code] = message[offset + 1 : offset + 1 + length].decode()
            offset += length + 2
        else:
            offset = (offset + 3) & ~3
            length = struct.unpack_from("<I", message, offset)[0]
            found[code] = message[offset + 4 : offset + 4 + length].decode()
            offset += length + 5
    return found


seen = Counter()
for message in packets():
    if len(message) < 16 or message[0:1] != b"l" or message[1] not in (2, 4):
        continue
    header = fields(message)
    if message[1] == 4:
        name = header[3]
        # What the program's match rules let through.
        if name == "PropertiesChanged":
            body = message[16 + struct.unpack_from("<I", message, 12)[0] :]
            name += "-" + re.search(rb"systemd1\.(\w+)", body).group(1).decode()
            if name not in ("PropertiesChanged-Service", "PropertiesChanged-Unit"):
                continue
            name += "-" + re.sub(r".*_2e", "", header[1])
            # What an ActiveState or Result of a failure is.
            for word in (b"failed", b"exit-code", b"signal", b"core-dump"):
                if b"\0" + word + b"\0" in body:
                    name += "-" + word.decode()
                    break
        elif name in ("NameAcquired", "NameLost"):
            continue
    else:
        name = {"a(ssssssouso)": "ListUnits", "a{sv}": "GetAll", "s": "GetNameOwner"}.get(
            header.get(8, "")
        )
    if name is None or len(message) > 60_000:
        continue
    seen[name] += 1
    if seen[name] <= 2:
        (folder / f"{name}-{seen[name]}.message").write_bytes(message)
