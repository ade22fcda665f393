"""The runner child: takes one job at a time from the agent over a unix socket and calls the function on its main thread.

Whatever user code does to this process ends this process alone; the supervisor reports it and forks the next one.
"""

import asyncio
import ctypes
import faulthandler
import io
import json
import logging
import os
import socket
import sys

from . import dependencies, memory
from .calling import Failure, text_of
from .envelopes import flash, json_source
from .frames import read_frame, write_frame
from .reply import CallReport

ENVELOPES = {"flash": flash, "json": json_source}


def prepare_output():
    """Line-buffered text onto the pipe that supervisor and child share; logging at INFO, unless user code configures it."""
    for name, fd in (("stdout", 1), ("stderr", 2)):
        stream = io.TextIOWrapper(
            io.BufferedWriter(io.FileIO(fd, "w", closefd=False)), encoding="utf-8", errors="backslashreplace", line_buffering=True
        )
        setattr(sys, name, stream)
        setattr(sys, "__%s__" % name, stream)
    faulthandler.enable(file=sys.stderr)
    fallback = logging.StreamHandler(sys.stderr)
    fallback.setFormatter(logging.Formatter("%(levelname)s:%(name)s:%(message)s"))
    # `lastResort` steps aside when user code calls basicConfig; a root handler of ours would make that call a no-op.
    logging.lastResort = fallback
    logging.getLogger().setLevel(logging.INFO)


def restore_output(own_fd):
    """User code may have closed or redirected the descriptors; the next job's output must not be lost for it."""
    os.dup2(own_fd, 1)
    os.dup2(own_fd, 2)
    if sys.stdout.closed or sys.stderr.closed:
        prepare_output()


def flush_output():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    LIBC.fflush(None)


LIBC = ctypes.CDLL(None)


def main(socket_path, generation, marker):
    prepare_output()
    own_fd = os.dup(1)
    memory.prepare_limits()
    dependencies.attach_installed()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect(socket_path)
    write_frame(sock, {"kind": "hello", "generation": generation})
    try:
        while True:
            header, body = read_frame(sock)
            if header["kind"] == "job":
                restore_output(own_fd)
                run_job(sock, header, body, loop, marker, own_fd)
    except (EOFError, ConnectionError):
        return


def run_envelope(envelope, request, loop, emit, report):
    try:
        return envelope.run(request, loop, emit, report)
    except Failure as failure:
        return envelope.failed(failure, emit)
    except MemoryError:
        return envelope.failed(Failure("the function's process ran out of memory%s" % memory.limit_text(), fresh=True), emit)
    except BaseException as error:
        return envelope.failed(Failure("the job could not be run: %s: %s" % (type(error).__name__, text_of(error)), fresh=True), emit)


def run_job(sock, header, body, loop, marker, own_fd):
    job_id = header["id"]

    def emit(chunk_body):
        """Posts one stream chunk; returns when the gateway has taken it, so chunks keep their order. Raises Failure where it refuses."""
        flush_output()
        write_frame(sock, {"kind": "chunk", "id": job_id}, chunk_body)
        answer, _ = read_frame(sock)
        if answer.get("refused"):
            raise Failure(answer["refused"])

    report = CallReport(lambda text: write_frame(sock, {"kind": "hint", "id": job_id, "text": text}))
    job = json.loads(body)
    del body
    own_pid = os.getpid()
    reply = run_envelope(ENVELOPES[header["envelope"]], job.get("input"), loop, emit, report)
    flush_output()
    if os.getpid() != own_pid:
        os._exit(0)  # user code forked and let its copy return; only the original answers
    before = reply.before.encode()
    os.write(own_fd, b"\0%s:done:%s\0" % (marker.encode(), job_id.encode()))
    write_frame(
        sock,
        {
            "kind": "done",
            "id": job_id,
            "stdoutAt": len(before) if reply.after else None,
            "isStream": reply.is_stream,
            "fresh": reply.fresh,
            "enteredAt": report.entered_at,
            "returnedAt": report.returned_at,
        },
        before + reply.after.encode(),
    )
