"""Checks cheaply whether a descriptor is still the one that the runner opened: user code may close, redirect or reuse any number.

The runner marks its descriptors with flags of an open file that user code does not combine (O_APPEND where it has no effect, O_SYNC on
pipes and /dev/null). Reading the flags then detects "closed", "replaced" and "non-blocking", in a third of the time of fstat.
"""

import fcntl
import os

GETFL = fcntl.F_GETFL
read_flags = fcntl.fcntl


def open_marked(path, mode):
    return os.open(path, mode | os.O_APPEND | os.O_SYNC)


def mark(fd):
    """Marks a descriptor that was not opened by a path (a socket, an epoll). Returns its flags from now on."""
    fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_APPEND)
    return flags(fd)


def flags(fd):
    """None for a closed descriptor."""
    try:
        return read_flags(fd, GETFL)
    except OSError:
        return None
