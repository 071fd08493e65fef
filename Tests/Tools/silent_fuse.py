"""A file system that falls silent: silent_fuse.py MOUNT_POINT STEP

Speaks the protocol of /dev/fuse (linux/fuse.h) and answers every question, until STEP-silent exists:
then questions about space get no answer, unless STEP-speaks exists. What was not answered is then.
"""

import ctypes
import os
import select
import struct
import sys

INIT, GETATTR, STATFS = 26, 3, 17

point, step = sys.argv[1:]
device = os.open("/dev/fuse", os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()},allow_other"
if libc.mount(b"silent:/share", point.encode(), b"fuse.silent", 0, options.encode()) != 0:
    sys.exit("mount: " + os.strerror(ctypes.get_errno()))


def reply(unique, body=b"", error=0):
    os.write(device, struct.pack("<IiQ", 16 + len(body), error, unique) + body)


def statfs(unique):
    # blocks, free, available, files, free files, block size, name length, fragment size
    reply(unique, struct.pack("<5Q4I24x", 1000, 500, 400, 100, 50, 4096, 255, 4096, 0))


def is_silent():
    return os.path.exists(step + "-silent") and not os.path.exists(step + "-speaks")


unanswered = []
while True:
    if not is_silent():
        for unique in unanswered:
            statfs(unique)
        unanswered.clear()
    if not select.select([device], [], [], 0.02)[0]:
        continue
    try:
        request = os.read(device, 1 << 18)
    except OSError:
        sys.exit(0)  # not mounted any more
    _, operation, unique = struct.unpack_from("<IIQ", request)
    if operation == INIT:
        # version 7.31, read-ahead, flags, background, threshold, write size, granularity, pages
        reply(unique, struct.pack("<IIIIHHIIHHI28x", 7, 31, 0, 0, 12, 10, 65536, 1, 16, 0, 0))
    elif operation == GETATTR:
        # The root, a folder: valid for no time; inode 1, mode, 2 links, block size.
        attributes = struct.pack("<QQQQQQIIIIIIIIII", 1, *[0] * 8, 0o40755, 2, 0, 0, 0, 4096, 0)
        reply(unique, struct.pack("<QII", 0, 0, 0) + attributes)
    elif operation == STATFS:
        if is_silent():
            unanswered.append(unique)
        else:
            statfs(unique)
    elif operation not in (2, 36, 42):  # FORGET, INTERRUPT, BATCH_FORGET want no answer
        reply(unique, error=-38)  # ENOSYS
