"""Shared memory that outlives this process: the phase in which it died. Only the agent reads it (exit-message.ts)."""

import mmap

WAITING, WORKING, BROKEN = b"w", b"j", b"b"


class Board:
    def __init__(self, path):
        with open(path, "w+b") as file:
            file.write(WAITING + b"-")
            file.flush()
            self.view = mmap.mmap(file.fileno(), 2)

    def note(self, phase):
        self.view[0:1] = phase

    def note_threads(self, are_left):
        """Threads of earlier jobs may end this process in the middle of a later one."""
        self.view[1:2] = b"t" if are_left else b"-"
