#!/usr/bin/env python3
"""Writes the fixtures that no machine here can make, from linux-6.18-amd64.pacct and from
acct(5), <linux/acct.h> and kernel/acct.c: see README.md."""
import struct

V3 = "BBHIIIIIIfHHHHHHHH16s"
V2 = "BBHHHIHHHHHHHHHHI17sBHII"
SIZE = 64
assert struct.calcsize("<" + V3) == SIZE


def compressed(value):
    """encode_comp_t() of kernel/acct.c."""
    exponent = carry = 0
    while value > 0x1FFF:
        carry = value & 4
        value >>= 3
        exponent += 1
    if carry:
        value += 1
        if value > 0x1FFF:
            value >>= 3
            exponent += 1
    return exponent << 13 | value


def v3(order, comm, flag=0, tty=0, status=0, uid=0, gid=0, pid=1, ppid=1, start=1700000000,
       elapsed=0.0, user=0, system=0, memory=2000, io=0, minor=100, major=0):
    version = 3 | (0x80 if order == ">" else 0)
    return struct.pack(order + V3, flag, version, tty, status, uid, gid, pid, ppid, start, elapsed,
                       compressed(user), compressed(system), compressed(memory), compressed(io), 0,
                       compressed(minor), compressed(major), 0, comm)


def v2(order, version, comm, status=0):
    """struct acct of version 2, and of version 1, in which m68k has no ac_ahz."""
    fields = [0, version | (0x80 if order == ">" else 0), 1000, 1000, 0, 1100000000, 5, 3, 200, 2500,
              0, 0, 60, 0, 0, 100, status, comm, 0, 200, 1000, 1000]
    layout = V2
    if version == 1:
        del fields[15]
        layout = V2.replace("HHHHHHHHHHI17s", "HHHHHHHHHI17s")
    return struct.pack(order + layout, *fields).ljust(SIZE, b"\0")


def v0(comm):
    """struct acct of Linux 2.4: two bytes of padding less is known of it than of later ones."""
    record = struct.pack("<BxHHHIHHHHHHHHHxxI17s", 0, 500, 500, 0x0401, 1000000000, 5, 3, 200, 2500,
                         0, 0, 60, 0, 0, 256, comm)
    return record.ljust(SIZE, b"\0")


def write(name, content):
    with open(name, "wb") as file:
        file.write(content)


with open("linux-6.18-amd64.pacct", "rb") as file:
    capture = file.read()
records = [capture[at:at + SIZE] for at in range(0, len(capture), SIZE)]

swapped = []
for record in records:
    fields = list(struct.unpack("<" + V3, record))
    fields[1] |= 0x80
    swapped.append(struct.pack(">" + V3, *fields))
write("big-endian.pacct", b"".join(swapped))

write("raspberry-pi-armhf.pacct", b"".join([
    v3("<", b"dphys-swapfile", flag=2, status=0, pid=321, ppid=1, elapsed=154.0, user=12, system=40,
       memory=1948, minor=310, major=2),
    v3("<", b"agetty", status=1 << 8, tty=204 << 8 | 64, pid=402, elapsed=12.0, memory=4172),
    v3("<", b"bash", status=127 << 8, tty=136 << 8 | 3, uid=1000, gid=1000, pid=911, ppid=910,
       elapsed=8640000.0, user=8191, system=8192, memory=8276, minor=70000),
    v3("<", b"python3", flag=0x18, status=0x80 | 11, uid=1000, gid=1000, pid=1200, ppid=911,
       elapsed=30000000.0, user=20000000, system=1000000000, memory=1 << 20, minor=10000000,
       major=9000),
    v3("<", b"kworker/u8:2", flag=1, pid=77, ppid=2, elapsed=360000000.0, system=77, memory=0,
       minor=0),
    v3("<", b"chromium-browse", flag=0x10, status=6, tty=4 << 8 | 7, uid=1000, gid=1000,
       pid=32767, ppid=1, elapsed=0.0, memory=3900000, minor=8191, major=8192),
]))

write("version-2.pacct", v2("<", 2, b"ls") + v2("<", 2, b"sh", 256) + v2("<", 2, b"sleep", 9))
write("version-1-m68k.pacct", v2(">", 1, b"cron") + v2(">", 1, b"sh"))
write("version-0.pacct", v0(b"init") + v0(b"a-name-of-16-byt"))
write("mixed.pacct", b"".join([
    records[1], v2("<", 2, b"old"), bytes(SIZE), records[2], bytes(range(100, 164)),
    v3("<", b"not\x01terminated!!"), v3("<", b"negative", elapsed=-1.0),
    v3("<", b"nan", elapsed=float("nan")), v3("<", b"infinite", elapsed=float("inf")),
    v3("<", b"flags", flag=0x40), v3("<", b"", pid=9), records[3],
]))
write("truncated-tail.pacct", records[1] + records[2] + records[3][:40])
write("shifted.pacct", b"x" + b"".join(records[:8]))
