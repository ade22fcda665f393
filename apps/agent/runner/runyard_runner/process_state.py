"""The process state that a job may change, as one table: how to read each part, how to write it, and which Python functions change it.

State that changes by assignment or in place is compared after each job. State that only a function changes is read after a job that called
such a function, because reading it takes system calls.
"""

import _signal
import builtins
import collections
import functools
import gc
import locale
import logging
import os
import resource
import signal
import socket
import sys
import threading
import time
import warnings

SIGNALS = tuple(
    getattr(signal, name)
    for name in "SIGHUP SIGINT SIGQUIT SIGUSR1 SIGUSR2 SIGPIPE SIGALRM SIGTERM SIGCHLD SIGCONT SIGTSTP SIGTTIN SIGTTOU SIGVTALRM SIGPROF SIGWINCH".split()
)
LIMITS = tuple(getattr(resource, "RLIMIT_" + name) for name in "AS CPU DATA NOFILE".split())
BUILTINS = ("print", "open", "input", "__import__")
HOOKS = ("excepthook", "displayhook", "unraisablehook", "breakpointhook")
# The C functions themselves: `signal` converts their results to enumerations, which takes 1 µs each.
getsignal, getrlimit, setlocale, getdefaulttimeout = _signal.getsignal, resource.getrlimit, locale._setlocale, socket.getdefaulttimeout
sigmask = signal.pthread_sigmask
getaffinity = getattr(os, "sched_getaffinity", lambda _pid: None)
umask, set_wakeup_fd = os.umask, signal.set_wakeup_fd
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
    mask = umask(0o077)
    umask(mask)
    return mask


def write_signals(saved):
    for number, handler in zip(SIGNALS, saved):
        # None: set by C code; Python can neither read nor set it.
        if handler is not None and _signal.getsignal(number) != handler:
            _signal.signal(number, handler)


def read_wakeup():
    fd = set_wakeup_fd(-1)
    if fd != -1:
        set_wakeup_fd(fd)
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
    """Lists to which other code has references: changed in place."""

    def write(saved):
        target()[:] = saved

    return write


# read: an expression, so that one function without a call in between reads them all: after a pause its caches are cold, and 24 small
# functions took three times as long. setters: the functions that change it; none: it is compared after each job.
Entry = collections.namedtuple("Entry", "name read write setters", defaults=("",))
TABLE = (
    Entry("environment", "_environ", write_environment),
    Entry("sys.path", "sys.path", assign(lambda: sys.path)),
    Entry("sys.argv", "sys.argv", assign(lambda: sys.argv)),
    Entry("recursion limit", "sys.getrecursionlimit()", sys.setrecursionlimit),
    Entry("switch interval", "sys.getswitchinterval()", sys.setswitchinterval),
    Entry("hooks", "(sys.excepthook, sys.displayhook, sys.unraisablehook, sys.breakpointhook, threading.excepthook)", write_hooks),
    Entry("tracing", "(sys.gettrace(), sys.getprofile())", write_tracing),
    Entry("builtins", "(builtins.print, builtins.open, builtins.input, builtins.__import__)", write_builtins),
    Entry("garbage collection", "(gc.isenabled(), gc.get_threshold(), gc.get_debug())", write_gc),
    Entry("warnings", "(warnings.filters, warnings.showwarning, warnings.formatwarning)", write_warnings),
    Entry("logging", "(root.level, root.handlers, root.filters, root.disabled, root.manager.disable, logging.lastResort)", write_logging),
    Entry("socket timeout", "getdefaulttimeout()", socket.setdefaulttimeout),
    Entry("start method of multiprocessing", "read_start_method()", write_start_method),
    Entry("working directory", "os.getcwd()", os.chdir, "os.chdir os.fchdir os.chroot"),
    Entry("umask", "read_umask()", umask, "os.umask"),
    Entry("timer", "_signal.getitimer(0)", lambda _saved: _signal.setitimer(0, 0), "signal.setitimer signal.alarm"),
    Entry("signal handlers", "[getsignal(number) for number in SIGNALS]", write_signals, "signal.signal"),
    Entry("signal mask", "sigmask(0, ())", lambda saved: sigmask(signal.SIG_SETMASK, saved), "signal.pthread_sigmask"),
    Entry("signal wakeup descriptor", "read_wakeup()", set_wakeup_fd, "signal.set_wakeup_fd"),
    Entry("resource limits", "[getrlimit(which) for which in LIMITS]", write_limits, "resource.setrlimit resource.prlimit"),
    Entry("locale", "setlocale(locale.LC_ALL)", lambda saved: setlocale(locale.LC_ALL, saved), "locale.setlocale locale.resetlocale"),
    Entry("processor affinity", "getaffinity(0)", lambda saved: os.sched_setaffinity(0, saved), "os.sched_setaffinity"),
    Entry("priority", "os.getpriority(0, 0)", lambda saved: os.setpriority(os.PRIO_PROCESS, 0, saved), "os.nice os.setpriority"),
    Entry(
        "user",
        "(os.geteuid(), os.getegid())",
        refuse,
        "os.setuid os.seteuid os.setreuid os.setresuid os.setgid os.setegid os.setregid os.setresgid",
    ),
)


def reader(entries):
    return eval("lambda: (%s,)" % ", ".join(entry.read for entry in entries))


read_compared = reader([entry for entry in TABLE if not entry.setters])
read_called = reader([entry for entry in TABLE if entry.setters])


def read_all():
    return keep(read_compared()) + read_called()


def keep(value):
    """A copy of state that is changed in place."""
    if isinstance(value, tuple):
        return tuple(keep(part) for part in value)
    return value.copy() if isinstance(value, (dict, list)) else value


class Setters:
    """Records a call of a function whose effect is not compared after each job."""

    def __init__(self):
        self.are_called = False

    def follow(self):
        for path in " ".join(entry.setters for entry in TABLE).split():
            module_name, name = path.split(".")
            module = sys.modules[module_name]
            real = getattr(module, name, None)
            if real is None:
                continue  # not in this version of Python, or not on this system
            noted = self.wrap(real)
            setattr(module, name, noted)
            # Where pickle looks it up: `os.chdir` belongs to `posix`.
            home = sys.modules[real.__module__]
            if getattr(home, name, None) is real:
                setattr(home, name, noted)

    def wrap(self, real):
        @functools.wraps(real)
        def noted(*args, **kwargs):
            self.are_called = True
            return real(*args, **kwargs)

        return noted


setters = Setters()
