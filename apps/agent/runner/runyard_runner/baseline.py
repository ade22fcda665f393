"""Restores the process state after each job: it is read before the first job, and restored if a job changed it (ADR 39).

`process_state.py` is the table of that state. If a part cannot be restored (a limit that only root may raise), the process is unfit, and the
next job gets a fresh one. State that a module sets while it is loaded belongs to its jobs and is set again before each of them (`Loaded`).

Not restored, because a warm worker keeps it or because it cannot be: imported modules and patches of them, running threads and processes,
tasks of the event loop, changes by C code. Functions for atexit never run, because a signal ends the process.
"""

import functools
import os
import random  # noqa: F401 - followed by Seeds
import sys

from .process_state import TABLE, keep, read_all, read_compared, setters


class Unfit(Exception):
    """The state of the process cannot be restored."""


class Seeds:
    """A seed that one job sets must not determine the random numbers of the next. The state of torch is not changed."""

    GENERATORS = ("random", "numpy.random")

    def __init__(self):
        self.followed = {}  # name → the real seed function
        self.are_set = False
        self.follow()
        self.are_set = False

    def follow(self):
        for name in self.GENERATORS:
            if name not in self.followed and name in sys.modules:
                self.followed[name] = self.wrap(sys.modules[name])
                # It was imported during a job, which may have set its seed.
                self.are_set = True

    def wrap(self, module):
        seed = module.seed

        @functools.wraps(seed)
        def set_seed(*args, **kwargs):
            self.are_set = True
            return seed(*args, **kwargs)

        module.seed = set_seed
        return seed

    def restore(self):
        if len(self.followed) < len(self.GENERATORS):
            self.follow()
        if self.are_set:
            self.are_set = False
            for seed in self.followed.values():
                seed()


class Baseline:
    def __init__(self):
        self.seeds = Seeds()
        setters.follow()
        self.saved = read_all()
        self.compared = keep(read_compared())

    def restore(self):
        """Raises Unfit naming the part that cannot be restored."""
        self.seeds.restore()
        if setters.are_called or read_compared() != self.compared:
            self.write_back()
            setters.are_called = False

    def write_back(self):
        try:
            now = read_all()
        except FileNotFoundError:  # the working directory is gone
            os.chdir("/")
            now = read_all()
        for entry, present, saved in zip(TABLE, now, self.saved):
            try:
                if present != saved:
                    entry.write(saved)
            except BaseException as error:
                raise Unfit("its %s cannot be put back: %s" % (entry.name, error))

    def accept(self, name):
        """Records a change by the runner itself that applies to all later jobs."""
        now = read_all()
        self.saved = tuple(new if entry.name == name else old for entry, old, new in zip(TABLE, self.saved, now))
        self.compared = self.saved[: len(self.compared)]


class Loaded:
    """The changes while a module or an instance was loaded. Wraps the loading; call `again` before each later job of it."""

    def __init__(self):
        self.before = read_all()
        self.changes = []

    def done(self):
        for entry, before, now in zip(TABLE, self.before, read_all()):
            if now != before:
                self.changes.append((entry.write, now))
        self.before = None

    def again(self):
        setters.are_called = setters.are_called or bool(self.changes)
        for write, value in self.changes:
            try:
                write(value)
            except (OSError, ValueError):
                pass  # e.g. a directory that no longer exists: the job will notice it
