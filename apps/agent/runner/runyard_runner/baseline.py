"""What a job may change in the process, read before the first job and put back after each one (ADR 39).

One table: how to read each thing, how to write it. A thing that cannot be put back (a limit that only root may raise) makes the process
unfit, and the next job gets a fresh one. What a module sets while it is loaded belongs to its jobs: it is set again before each of them
(`Loaded`). Not put back, since it is what a warm worker is for or cannot be: imported modules and what is patched in them, running
threads and processes, tasks of the event loop. Functions for atexit never run: the process ends by a signal.
"""

import _signal
import asyncio
import builtins
import functools
import gc
import locale
import logging
import os
import random  # noqa: F401 - followed by Seeds
import resource
import signal
import socket
import sys
import threading
import time
import warnings

from .output import identity, is_same

SIGNALS = tuple(
    getattr(signal, name)
    for name in "SIGHUP SIGINT SIGQUIT SIGUSR1 SIGUSR2 SIGPIPE SIGALRM SIGTERM SIGCHLD SIGCONT SIGTSTP SIGTTIN SIGTTOU SIGVTALRM SIGPROF SIGWINCH".split()
)
LIMITS = tuple(getattr(resource, "RLIMIT_" + name) for name in "AS CPU DATA NOFILE".split())
BUILTINS = ("print", "open", "input", "__import__")
HOOKS = ("excepthook", "displayhook", "unraisablehook", "breakpointhook")
# The functions of C themselves: `signal` makes enumerations of their answers, which takes 1 µs each.
getsignal, getrlimit, setlocale, getdefaulttimeout = _signal.getsignal, resource.getrlimit, locale._setlocale, socket.getdefaulttimeout
getaffinity = getattr(os, "sched_getaffinity", lambda _pid: None)
root = logging.root
_environ = os.environ._data if hasattr(os.environ, "_data") else os.environ


def write_environment(saved):
    zone = os.environ.get("TZ")
    for key in [key for key in _environ if key not in saved]:
        del os.environ[decode(key)]
    for key, value in saved.items():
        if _environ.get(key) != value:
            os.environ[decode(key)] = decode(value)
    if os.environ.get("TZ") != zone:
        time.tzset()


def decode(raw):
    return os.fsdecode(raw) if isinstance(raw, bytes) else raw


def read_umask():
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def write_signals(saved):
    for number, handler in zip(SIGNALS, saved):
        # None: set by C code, which Python can neither see nor set.
        if handler is not None and _signal.getsignal(number) != handler:
            _signal.signal(number, handler)


def read_wakeup():
    fd = signal.set_wakeup_fd(-1)
    if fd != -1:
        signal.set_wakeup_fd(fd)
    return fd


def write_limits(saved):
    for which, limits in zip(LIMITS, saved):
        if resource.getrlimit(which) != limits:
            resource.setrlimit(which, limits)


def write_hooks(saved):
    for name, hook in zip(HOOKS, saved):
        setattr(sys, name, hook)
    threading.excepthook = saved[-1]


def write_tracing(saved):
    threading.settrace(None)
    threading.setprofile(None)
    sys.settrace(saved[0])
    sys.setprofile(saved[1])


def write_builtins(saved):
    for name, function in zip(BUILTINS, saved):
        setattr(builtins, name, function)


def write_gc(saved):
    (gc.enable if saved[0] else gc.disable)()
    gc.set_threshold(*saved[1])
    gc.set_debug(saved[2])


def write_warnings(saved):
    warnings.filters[:] = saved[0]
    if hasattr(warnings, "_filters_mutated"):
        warnings._filters_mutated()
    warnings.showwarning, warnings.formatwarning = saved[1:]


def write_logging(saved):
    root.setLevel(saved[0])
    root.handlers[:], root.filters[:], root.disabled = saved[1], saved[2], saved[3]
    logging.disable(saved[4])
    logging.lastResort = saved[5]


def read_start_method():
    context = sys.modules.get("multiprocessing.context")
    return context._default_context._actual_context if context else None


def write_start_method(saved):
    sys.modules["multiprocessing.context"]._default_context._actual_context = saved


def refuse(_saved):
    raise OSError("it cannot be undone")


def assign(target):
    """Lists that others hold: changed in place."""

    def write(saved):
        target()[:] = saved

    return write


# name, how it is read, how it is written. The reads are expressions, so that one function without a call in between reads them all: after
# a pause its caches are cold, and 24 small functions took three times as long.
TABLE = (
    ("environment", "_environ.copy()", write_environment),
    ("working directory", "os.getcwd()", os.chdir),
    ("sys.path", "sys.path[:]", assign(lambda: sys.path)),
    ("sys.argv", "sys.argv[:]", assign(lambda: sys.argv)),
    ("umask", "read_umask()", os.umask),
    ("timer", "_signal.getitimer(0)", lambda _saved: _signal.setitimer(0, 0)),
    ("signal handlers", "[getsignal(number) for number in SIGNALS]", write_signals),
    ("signal mask", "_signal.pthread_sigmask(0, ())", lambda saved: signal.pthread_sigmask(signal.SIG_SETMASK, saved)),
    ("signal wakeup descriptor", "read_wakeup()", signal.set_wakeup_fd),
    ("resource limits", "[getrlimit(which) for which in LIMITS]", write_limits),
    ("recursion limit", "sys.getrecursionlimit()", sys.setrecursionlimit),
    ("switch interval", "sys.getswitchinterval()", sys.setswitchinterval),
    ("hooks", "(sys.excepthook, sys.displayhook, sys.unraisablehook, sys.breakpointhook, threading.excepthook)", write_hooks),
    ("tracing", "(sys.gettrace(), sys.getprofile())", write_tracing),
    ("builtins", "(builtins.print, builtins.open, builtins.input, builtins.__import__)", write_builtins),
    ("garbage collection", "(gc.isenabled(), gc.get_threshold(), gc.get_debug())", write_gc),
    ("warnings", "(warnings.filters[:], warnings.showwarning, warnings.formatwarning)", write_warnings),
    (
        "logging",
        "(root.level, root.handlers[:], root.filters[:], root.disabled, root.manager.disable, logging.lastResort)",
        write_logging,
    ),
    ("locale", "setlocale(locale.LC_ALL)", lambda saved: locale.setlocale(locale.LC_ALL, saved)),
    ("socket timeout", "getdefaulttimeout()", socket.setdefaulttimeout),
    ("start method of multiprocessing", "read_start_method()", write_start_method),
    ("processor affinity", "getaffinity(0)", lambda saved: os.sched_setaffinity(0, saved)),
    ("priority", "os.getpriority(0, 0)", lambda saved: os.setpriority(os.PRIO_PROCESS, 0, saved)),
    ("user", "(os.geteuid(), os.getegid())", refuse),
)
read_all = eval("lambda: (%s,)" % ", ".join(read for _, read, _ in TABLE))


class Unfit(Exception):
    """The process cannot be made as it was."""


class Seeds:
    """A seed that one job sets must not make the choices of the next. Module state of torch is left alone."""

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
                # It was imported within a job, which may have set its seed already.
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
        self.follow()
        if self.are_set:
            self.are_set = False
            for seed in self.followed.values():
                seed()


class Baseline:
    def __init__(self):
        self.seeds = Seeds()
        self.saved = read_all()

    def restore(self):
        """Raises Unfit naming what cannot be put back."""
        self.seeds.restore()
        try:
            now = read_all()
        except FileNotFoundError:  # the working directory is gone
            os.chdir("/")
            now = read_all()
        if now == self.saved:
            return
        for (name, _, write), present, saved in zip(TABLE, now, self.saved):
            try:
                if present != saved:
                    write(saved)
            except BaseException as error:
                raise Unfit("its %s cannot be put back: %s" % (name, error))

    def accept(self, name):
        """What the runner itself has changed for all later jobs."""
        now = read_all()
        self.saved = tuple(new if entry[0] == name else old for entry, old, new in zip(TABLE, self.saved, now))


class Loaded:
    """What changed while a module, or an instance, was loaded. Used around the loading; `again` before each later job of it."""

    def __init__(self):
        self.before = read_all()
        self.changes = []

    def done(self):
        for (_, _, write), before, now in zip(TABLE, self.before, read_all()):
            if now != before:
                self.changes.append((write, now))
        self.before = None

    def again(self):
        for write, value in self.changes:
            try:
                write(value)
            except (OSError, ValueError):
                pass  # as it is gone meanwhile, a directory say, the job finds out itself


class Loop:
    """One event loop for the life of the process, as instances keep what is bound to it; another one where it cannot be used any more."""

    def __init__(self):
        self.open()
        asyncio.set_event_loop(self.loop)
        # Made by that call, where the Python has policies.
        self.policy = getattr(asyncio.events, "_event_loop_policy", None)

    def open(self):
        self.loop = asyncio.new_event_loop()
        self.descriptors = [(fd, identity(fd)) for fd in (self.loop._selector.fileno(), self.loop._ssock.fileno())]

    def restore(self):
        loop, events = self.loop, asyncio.events
        if events._get_running_loop() is not None:
            events._set_running_loop(None)
        if getattr(events, "_event_loop_policy", None) is not self.policy:
            events._event_loop_policy = self.policy
        is_whole = all(is_same(*descriptor) for descriptor in self.descriptors)
        if loop.is_closed() or loop.is_running() or loop._executor_shutdown_called or not is_whole:
            self.open()
            loop = self.loop
        asyncio.set_event_loop(loop)
        if loop.get_debug() or loop.get_task_factory() is not None or loop.get_exception_handler() is not None:
            loop.set_debug(False)
            loop.set_task_factory(None)
            loop.set_exception_handler(None)
