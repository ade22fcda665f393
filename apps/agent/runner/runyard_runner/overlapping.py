"""Several jobs at a time in one process: each is a task of its event loop (ADR 75).

Only for an async function of a deployed app with `max_concurrency`. As in Runpod's worker, a function that blocks the loop blocks all jobs. The
state of the process is restored whenever no job runs. A stop cancels the job's task; the agent kills the process if that does not help.
"""

import ctypes
import functools
import json

from . import deployed, output
from .board import WAITING, WORKING
from .calling import Failure, as_failure
from .frames import receive_frame
from .reply import CallReport, done_frame

LIBC = ctypes.CDLL(None)


class Overlapping:
    def __init__(self, child):
        self.child = child
        self.loop = child.loop.loop
        self.tasks = {}  # job id → task
        self.acks = {}  # job id → the future of its chunk that the gateway has not accepted yet
        self.ended = None  # why there are no more frames

    def serve(self):
        self.loop.add_reader(self.child.sock.fileno(), self.on_frame)
        while self.ended is None:
            try:
                self.loop.run_forever()
            except (SystemExit, KeyboardInterrupt):
                print("runyard: a task that a job started called sys.exit; the worker goes on", flush=True)
        raise self.ended

    def on_frame(self):
        try:
            header, body = receive_frame(self.child.sock)
        except (EOFError, OSError) as error:
            self.ended = error
            self.loop.stop()
            return
        job_id = header["id"]
        if header["kind"] == "job":
            self.child.board.note(WORKING)
            self.tasks[job_id] = task = self.loop.create_task(self.run_job(header, body))
            task.add_done_callback(functools.partial(self.on_end, job_id))
        elif header["kind"] == "ack" and job_id in self.acks:
            self.acks.pop(job_id).set_result(header.get("refused"))
        elif header["kind"] == "stop" and job_id in self.tasks:
            self.tasks[job_id].cancel()

    def on_end(self, job_id, task):
        if task.cancelled():
            # It was stopped before its first step.
            self.forget(job_id)
            self.child.send({"kind": "done", "id": job_id})
        elif task.exception() is not None:
            self.ended = task.exception()
            self.loop.stop()

    async def run_job(self, header, body):
        child, job_id = self.child, header["id"]
        owner = output.Owner(job_id)
        output.own(owner)
        report = CallReport(job_id, lambda text: child.send({"kind": "hint", "id": job_id, "text": text}))
        reply = await self.outcome(header["envelope"], json.loads(body).get("input"), report)
        child.streams.finish(owner)
        LIBC.fflush(None)
        child.leave_if_copy()
        child.pipe.mark("done:" + job_id)
        self.forget(job_id)
        child.send(*done_frame(reply, report))
        if not self.tasks:
            child.restore_state(child.loop.restore_options)

    def forget(self, job_id):
        del self.tasks[job_id]
        self.acks.pop(job_id, None)
        if not self.tasks:
            self.child.board.note(WAITING)

    async def outcome(self, name, request, report):
        envelope = self.child.envelopes[name]
        try:
            return await deployed.run_in_loop(envelope.call_of(request, report), self.emit_for(report.job_id), report)
        except BaseException as error:
            return envelope.failed(as_failure(error), None)

    def emit_for(self, job_id):
        """Posts one chunk; returns when the gateway has accepted it. Raises Failure if it is rejected."""

        async def emit(chunk_body):
            self.child.leave_if_copy()
            self.child.streams.flush()
            LIBC.fflush(None)
            self.acks[job_id] = accepted = self.loop.create_future()
            self.child.send({"kind": "chunk", "id": job_id}, chunk_body)
            refused = await accepted
            if refused:
                raise Failure(refused)

        return emit
