"""Serves one task of SDK 2 (sdk2-api §4.6, §5.4): one call, submitted over HTTP, whose result is kept until the worker ends. Everything but /ping needs
the task's token. The process ends past its deadline, and when nothing runs and no request comes for ten minutes; then the agent ends, and the task with it."""

import asyncio
import hmac
import json
import math
import os
import time

from . import asgi, dependencies
from .calling import Failure
from .envelopes import flash, json_source
from .live import Thread, report

IDLE_S = 600
LOOK_EVERY_S = 1


class BadRequest(Exception):
    pass


class Task:
    def __init__(self, token, end=os._exit, idle_s=None):
        if not token:
            raise Failure("RUNPOD_TASK_TOKEN is not set: this worker serves a task")
        self.token = token
        self.end = end
        self.idle_s = float(os.environ.get("RUNPOD_TASK_IDLE_TIMEOUT") or IDLE_S) if idle_s is None else idle_s
        self.thread = Thread()
        self.status = None
        self.response = None
        self.deadline = None
        self.asked_at = time.monotonic()

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            return await asgi.answer_lifespan(receive, send, self.watch)
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1000})
        call = scope["method"], scope["path"]
        if call == ("GET", "/ping"):
            return await asgi.answer(send, 200, {"ready": True})
        if not self.may(scope):
            return await asgi.answer(send, 401, {"error": "the task's token is missing or wrong"})
        self.asked_at = time.monotonic()
        step = {
            ("POST", "/submit"): self.submit,
            ("GET", "/result"): self.result,
            ("POST", "/timeout"): self.shorten,
            ("POST", "/execute"): self.execute,
        }.get(call)
        if step is None:
            return await asgi.answer(send, 404, {"error": "not found"})
        try:
            status, value = await step(await asgi.read_body(receive))
        except BadRequest as error:
            status, value = 400, {"error": str(error)}
        await asgi.answer(send, status, value)

    def may(self, scope):
        given = dict(scope["headers"]).get(b"authorization", b"")
        return hmac.compare_digest(given, b"Bearer " + self.token.encode())

    async def submit(self, body):
        request = parse(body)
        timeout = timeout_of(request)
        if self.status == "RUNNING":
            return 409, {"error": "the task runs already"}
        self.begin(request, timeout)
        return 200, dict({"status": "RUNNING"}, **({} if timeout is None else {"timeout": request["timeout"]}))

    async def execute(self, body):
        request = parse(body)
        timeout = timeout_of(request)
        if self.status == "RUNNING":
            return 409, {"error": "the task runs already"}
        await self.begin(request, timeout)
        return 200, self.response

    async def result(self, _body):
        return 200, {"status": self.status or "IDLE", "response": self.response if self.status == "DONE" else None}

    async def shorten(self, body):
        request = parse(body)
        timeout = timeout_of(request)
        if timeout is None:
            raise BadRequest("a timeout is a number of seconds")
        self.limit(timeout)
        return 200, {"timeout": request["timeout"]}

    def begin(self, request, timeout):
        self.status, self.response = "RUNNING", None
        if timeout is not None:
            self.limit(timeout)
        return asyncio.ensure_future(self.run(request))

    async def run(self, request):
        try:
            self.response = dict(await self.thread.run(lambda loop: call(request, loop)), success=True)
        except dependencies.NeedsFresh:
            self.response = {"success": False, "error": "the task needs another version of a module that this worker has loaded"}
        except Failure as failure:
            self.response = {"success": False, "error": failure.text}
        except BaseException as error:
            self.response = {"success": False, "error": "%s: %s" % (type(error).__name__, error)}
        self.response.setdefault("stdout", "")
        self.status, self.deadline, self.asked_at = "DONE", None, time.monotonic()

    def limit(self, timeout):
        """A timeout only shortens."""
        at = time.monotonic() + timeout
        self.deadline = at if self.deadline is None else min(self.deadline, at)

    def watch(self):
        async def look():
            while True:
                await asyncio.sleep(LOOK_EVERY_S)
                why = self.why_end()
                if why is not None:
                    os.write(2, b"runyard: the task ends its worker: %s\n" % why.encode())
                    return self.end(0)

        self.watching = asyncio.ensure_future(look())

    def why_end(self):
        now = time.monotonic()
        if self.deadline is not None and now >= self.deadline:
            return "it has run for longer than its timeout"
        if self.status != "RUNNING" and now - self.asked_at >= self.idle_s:
            return "nothing runs, and no request has come for %d s" % self.idle_s
        return None


def call(request, loop):
    """Arguments and result are pickled unless the request says JSON (sdk2-api §4.2). The values of a generator are collected."""
    counts, chunks = report(), []
    value = json_source.invoke(request, loop, counts, chunks.append, lambda given: flash.decode_call(given, "", counts))
    return flash.encode_result(chunks if value is json_source.STREAMED else value, request)


def parse(body):
    try:
        request = json.loads(body)
    except ValueError as error:
        raise BadRequest("the body is no JSON: %s" % error)
    if not isinstance(request, dict):
        raise BadRequest("the body must be a JSON object")
    return request


def timeout_of(request):
    timeout = request.get("timeout")
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not math.isfinite(timeout) or timeout < 0:
        raise BadRequest("a timeout is a number of seconds, 0 or more")
    return timeout
