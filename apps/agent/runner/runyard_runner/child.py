"""The runner child: takes one job at a time from the agent over a unix socket and calls the function on its main thread.

If user code ends this process, the supervisor reports it and forks the next one. After each job the state of the process is restored
(baseline.py), after the result was sent, so that no caller waits for it. A process that cannot be restored ends itself between two jobs;
the agent then blames no job (board.py).
"""

import _thread
import contextvars
import ctypes
import json
import os
import socket

from . import dependencies, descriptors, memory, output, plane_name
from .baseline import Baseline, Unfit
from .board import BROKEN, WAITING, WORKING, Board
from .calling import Failure, as_failure
from .child_processes import Processes
from .dependencies import NeedsFresh
from .envelopes import deployed_flash, deployed_sdk2, flash, json_source
from .event_loop import Loop
from .frames import open_reader, read_frame, write_frame
from .installers import attach_installed
from .overlapping import Overlapping
from .reply import CallReport, done_frame

ENVELOPES = {"flash": flash, "json": json_source, "deployed-flash": deployed_flash, "deployed-sdk2": deployed_sdk2}
LIBC = ctypes.CDLL(None)
UNFIT = 71


def main(socket_path, fifo_path, generation, marker):
    child = Child(socket_path, fifo_path, generation, marker)
    try:
        child.serve() if child.slots == 1 else Overlapping(child).serve()
    except (EOFError, ConnectionError):
        return
    except BaseException:
        child.board.note(BROKEN)
        raise


class Child:
    def __init__(self, socket_path, fifo_path, generation, marker):
        self.pipe = output.Pipe(marker, fifo_path)
        self.streams = output.Streams(self.pipe)
        memory.prepare_limits()
        attach_installed()
        plane_name.resolve()
        self.loop = Loop()
        self.envelopes = ENVELOPES
        self.processes = Processes(os.getppid())
        # Next to the socket, and named by the generation, so the agent knows the path.
        self.directory, self.generation = os.path.dirname(socket_path), generation
        self.board = Board(os.path.join(self.directory, "board-%d" % generation))
        self.leaves_processes = False
        self.jobs = 0
        self.pid = os.getpid()
        envelope = ENVELOPES.get(os.environ.get("RUNYARD_ENVELOPE", ""))
        self.slots = 1
        if hasattr(envelope, "app"):
            # Before the baseline is read: what the app sets up is part of it.
            envelope.app.load(self.loop.loop)
            self.slots = envelope.app.slots
        self.baseline = Baseline()
        dependencies.on_attached = lambda: self.baseline.accept("sys.path")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(socket_path)
        self.reader = open_reader(self.sock)
        self.sock_flags = descriptors.mark(self.sock.fileno())
        self.send({"kind": "hello", "generation": generation, "slots": self.slots})

    def send(self, header, body=b""):
        if descriptors.flags(self.sock.fileno()) != self.sock_flags:
            raise OSError("the connection to the agent is gone: user code has closed descriptors that are not its own")
        write_frame(self.sock, header, body)

    def serve(self):
        while True:
            header, body = read_frame(self.reader)
            if header["kind"] == "job":
                self.board.note(WORKING)
                self.jobs += 1
                # Context variables that the job sets (also the precision of decimal) end with it.
                contextvars.copy_context().run(self.run_job, header, body)
                self.restore()

    def run_job(self, header, body):
        job_id = header["id"]
        owner = output.Owner(job_id)
        output.own(owner)
        report = CallReport(job_id, lambda text: self.send({"kind": "hint", "id": job_id, "text": text}))
        job = json.loads(body)
        del body
        envelope = ENVELOPES[header["envelope"]]
        try:
            reply = run_envelope(envelope, job.get("input"), self.loop.loop, Emit(self, job_id), report)
        except NeedsFresh:
            # The agent ends this process and runs the job in a fresh one.
            self.send({"kind": "again", "id": job_id})
            while True:
                read_frame(self.reader)
        self.streams.finish(owner)
        LIBC.fflush(None)
        self.leave_if_copy()
        self.pipe.mark("done:" + job_id)
        self.leaves_processes = self.processes.has_new()
        self.board.note(WAITING)
        header, body = done_frame(reply, report)
        self.send(dict(header, pipeFollows=self.leaves_processes), body)

    def leave_if_copy(self):
        """User code may fork and let the copy return. Only the original process answers."""
        if os.getpid() != self.pid:
            os._exit(0)

    def restore(self):
        self.restore_state(self.loop.restore)
        if self.leaves_processes:
            # The agent begins the next job once it reads from the other pipe: what they print meanwhile is no job's output.
            path = os.path.join(self.directory, "out-%d-%d" % (self.generation, self.jobs))
            self.pipe.replace(path)
            self.send({"kind": "output", "path": path})

    def restore_state(self, restore_loop):
        try:
            self.streams.restore()
            restore_loop()
            self.baseline.restore()
        except Unfit as error:
            print("runyard: this process is replaced, since after the last job %s" % error, flush=True)
            os._exit(UNFIT)
        self.board.note_threads(_thread._count() > 0)


class Emit:
    """Posts one stream chunk; returns when the gateway has accepted it, so chunks keep their order. Raises Failure if it is rejected."""

    def __init__(self, child, job_id):
        self.child = child
        self.job_id = job_id

    def __call__(self, chunk_body):
        self.child.leave_if_copy()
        self.child.streams.flush()
        LIBC.fflush(None)
        self.child.send({"kind": "chunk", "id": self.job_id}, chunk_body)
        answer, _ = read_frame(self.child.reader)
        if answer.get("refused"):
            raise Failure(answer["refused"])


def run_envelope(envelope, request, loop, emit, report):
    try:
        return envelope.run(request, loop, emit, report)
    except NeedsFresh:
        raise
    except BaseException as error:
        return envelope.failed(as_failure(error), emit)
