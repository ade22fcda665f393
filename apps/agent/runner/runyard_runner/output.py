"""Assigns output to jobs: a job's output belongs to its result; output of its threads and tasks after its end goes only to the log.

All output of a worker shares one pipe, including output of C code and of processes. Python text that does not belong to the current job is
between two markers that name its owner (`to:-`: only the log). The owner is passed to asyncio tasks (a context variable), threads (an
attribute, set at start) and functions in thread pools. Known limits: a thread that C code starts has no owner, so its text belongs to the
current job; a thread of an earlier job that works for the current one writes only to the log.
"""

import concurrent.futures
import contextvars
import faulthandler
import functools
import io
import logging
import os
import sys
import threading

from .descriptors import flags, open_marked

# A piece with its markers is smaller than PIPE_BUF, so that no other writer gets between them.
PIECE_BYTES = 3500
# More than that of one line is written before the line ends.
LINE_CHARACTERS = 2000


class Owner:
    """A job as the owner of output."""

    __slots__ = ("job_id", "over", "pending")

    def __init__(self, job_id):
        self.job_id = job_id
        self.over = False
        self.pending = {}


_owner = contextvars.ContextVar("runyard_owner", default=None)


def present():
    """The owner of the running code; None: the current job."""
    return _owner.get() or getattr(threading.current_thread(), "_runyard_owner", None)


def own(owner):
    _owner.set(owner)


class Pipe:
    """The worker's output pipe. Keeps a descriptor of its own, since user code may close or redirect 1 and 2."""

    def __init__(self, marker, path):
        self.marker = marker.encode()
        self.path = path
        self.fd = open_marked(path, os.O_RDWR)
        self.flags = flags(self.fd)
        self.redirect()

    def redirect(self):
        os.dup2(self.fd, 1)
        os.dup2(self.fd, 2)

    def mark(self, text):
        self.reopen()
        os.write(self.fd, b"\0%s:%s\0" % (self.marker, text.encode()))

    def write_for(self, owner, data):
        to = b"-" if owner.over else owner.job_id.encode()
        for at in range(0, len(data), PIECE_BYTES):
            os.write(self.fd, b"\0%s:to:%s\0%s\0%s:to:\0" % (self.marker, to, data[at : at + PIECE_BYTES], self.marker))

    def reopen(self):
        found = flags(self.fd)
        if found == self.flags | os.O_NONBLOCK:
            os.set_blocking(self.fd, True)
        elif found != self.flags:
            self.fd = open_marked(self.path, os.O_RDWR)

    def restore(self):
        """User code may have closed or redirected the descriptors, or made them non-blocking."""
        if not flags(self.fd) == flags(1) == flags(2) == self.flags:
            self.reopen()
            self.redirect()

    def replace(self, path):
        """This process and its future children write to another pipe than the processes it has started before."""
        os.mkfifo(path, 0o600)
        fresh = open_marked(path, os.O_RDWR)
        os.dup2(fresh, self.fd)
        os.close(fresh)
        self.path = path
        self.redirect()


class Text(io.TextIOWrapper):
    """sys.stdout and sys.stderr: line-buffered text onto the pipe. Never closed, because libraries keep it in their log handlers."""

    def __init__(self, fd, pipe):
        raw = io.FileIO(fd, "w", closefd=False)
        super().__init__(io.BufferedWriter(raw), encoding="utf-8", errors="backslashreplace", line_buffering=True)
        self.pipe = pipe
        self.order = threading.Lock()
        self.is_changed = False

    def write(self, text):
        owner = present()
        if owner is None or not owner.over or not isinstance(text, str):
            return super().write(text)
        with self.order:
            held = owner.pending.pop(self, "") + text
            end = len(held) if len(held) > LINE_CHARACTERS else held.rfind("\n") + 1
            if held[end:]:
                owner.pending[self] = held[end:]
            self.pipe.write_for(owner, held[:end].encode("utf-8", "backslashreplace"))
        return len(text)

    def finish(self, owner):
        """The unfinished line of a job."""
        held = owner.pending.pop(self, None)
        if held:
            self.pipe.write_for(owner, held.encode("utf-8", "backslashreplace"))

    def close(self):
        self.flush()

    def reconfigure(self, **settings):
        self.is_changed = True
        super().reconfigure(**settings)

    def detach(self):
        self.is_changed = True
        return super().detach()

    def is_sound(self):
        try:
            return not self.is_changed and not self.closed
        except ValueError:
            return False  # its buffer was detached


class StderrHandler(logging.StreamHandler):
    """Writes to the current sys.stderr, not to the original one."""

    def __init__(self):
        logging.Handler.__init__(self)
        self.setFormatter(logging.Formatter("%(levelname)s:%(name)s:%(message)s"))

    @property
    def stream(self):
        return sys.stderr


class Streams:
    def __init__(self, pipe):
        self.pipe = pipe
        self.read_nothing()
        self.open()
        follow_threads()
        # `lastResort` is unused after user code calls basicConfig; a root handler of ours would make that call a no-op.
        logging.lastResort = StderrHandler()
        logging.getLogger().setLevel(logging.INFO)

    def open(self):
        self.stdout, self.stderr = Text(1, self.pipe), Text(2, self.pipe)
        self.set()
        faulthandler.enable(file=self.stderr)

    def set(self):
        sys.stdout = sys.__stdout__ = self.stdout
        sys.stderr = sys.__stderr__ = self.stderr
        sys.stdin = sys.__stdin__ = self.stdin

    def are_set(self):
        """True after nearly every job: nothing to do."""
        out, err, nothing = self.stdout, self.stderr, self.stdin
        try:
            is_whole = sys.stdout is out and sys.stderr is err and sys.stdin is nothing
            is_whole = is_whole and sys.__stdout__ is out and sys.__stderr__ is err and sys.__stdin__ is nothing
        except AttributeError:
            return False
        return is_whole and out.is_sound() and err.is_sound()

    def restore(self):
        self.pipe.restore()
        if self.stdin.closed or flags(0) != self.nothing:
            self.read_nothing()
        if self.are_set() and faulthandler.is_enabled():
            return
        present = [getattr(sys, name, None) for name in ("stdout", "stderr", "stdin", "__stdout__", "__stderr__")]
        replaced = [stream for stream in present[:2] if stream is not self.stdout and stream is not self.stderr]
        if not (self.stdout.is_sound() and self.stderr.is_sound()):
            replaced += [self.stdout, self.stderr]
            self.open()
        elif any(one is not ours for one, ours in zip(present, (self.stdout, self.stderr, self.stdin, self.stdout, self.stderr))):
            self.set()
        if replaced:
            redirect_handlers(replaced, self.stderr)
        if not faulthandler.is_enabled():
            faulthandler.enable(file=self.stderr)

    def read_nothing(self):
        null = open_marked(os.devnull, os.O_RDONLY)
        if null != 0:
            os.dup2(null, 0)
            os.close(null)
        self.nothing = flags(0)
        self.stdin = open(0, closefd=False)

    def finish(self, owner):
        """All output of the job is in the pipe; later output does not belong to it."""
        self.flush()
        for stream in list(owner.pending):
            stream.finish(owner)
        owner.over = True

    def flush(self):
        out, err = getattr(sys, "stdout", None), getattr(sys, "stderr", None)
        replaced = () if out is self.stdout and err is self.stderr else (out, err)
        for stream in (*replaced, self.stdout, self.stderr):
            try:
                stream.flush()
            except BaseException:
                pass  # user code's own stream, and what it does is its own affair


def redirect_handlers(gone, stream):
    """Log handlers created while a job had replaced sys.stdout would otherwise lose all their output."""
    for reference in list(logging._handlerList):
        handler = reference()
        if isinstance(handler, logging.StreamHandler) and any(getattr(handler, "stream", None) is one for one in gone):
            handler.stream = stream


def follow_threads():
    """Threads and functions in pools belong to the job that started or submitted them, even if the pool's thread is older."""
    start = threading.Thread.start
    submit = concurrent.futures.ThreadPoolExecutor.submit

    @functools.wraps(start)
    def start_owned(self):
        self._runyard_owner = present()
        start(self)

    @functools.wraps(submit)
    def submit_owned(self, fn, /, *args, **kwargs):
        return submit(self, functools.partial(run_owned, present(), fn), *args, **kwargs)

    threading.Thread.start = start_owned
    concurrent.futures.ThreadPoolExecutor.submit = submit_owned


def run_owned(owner, fn, /, *args, **kwargs):
    token = _owner.set(owner)
    try:
        return fn(*args, **kwargs)
    finally:
        _owner.reset(token)
