"""Live code of load-balanced endpoints: `/execute` runs one function that comes with its request (flash-api §6), and `/_runpod/sync` gives a worker of SDK 2
the source of its api, which then answers all other paths (sdk2-api §4.5, §5.3). Calls run one at a time on a thread of their own."""

import asyncio
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

from . import asgi, calling, dependencies
from .calling import Failure
from .envelopes import flash, json_source
from .reply import CallReport


class Untracked:
    """In place of `Loaded`: a server keeps its state between calls, and the state of a process is the main thread's to read."""

    def done(self):
        pass

    again = done


flash.Loaded = json_source.Loaded = Untracked


class Thread:
    """User code of `/execute` and of a sync: one call after the other, in an event loop that it keeps."""

    def __init__(self):
        self.executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="live")
        self.loop = None

    async def run(self, step):
        def work():
            if self.loop is None:
                self.loop = asyncio.new_event_loop()
                asyncio.set_event_loop(self.loop)
            return step(self.loop)

        return await asyncio.get_running_loop().run_in_executor(self.executor, work)


class Live:
    """Answers /ping and /execute; `other` answers the rest."""

    def __init__(self):
        self.thread = Thread()

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            return await asgi.answer_lifespan(receive, send)
        path = scope["path"]
        if scope["type"] == "http" and path == "/ping":
            return await asgi.answer(send, 200, asgi.HEALTHY)
        if scope["type"] == "http" and path == "/execute" and scope["method"] == "POST":
            return await self.execute(receive, send)
        return await self.other(scope, receive, send)

    async def execute(self, receive, send):
        try:
            request = json.loads(await asgi.read_body(receive))
            request = request["input"] if isinstance(request, dict) and isinstance(request.get("input"), dict) else request
        except ValueError as error:
            return await asgi.answer(send, 400, {"success": False, "error": "the body is no JSON: %s" % error})
        try:
            reply = await self.thread.run(lambda loop: self.call(request, loop))
        except dependencies.NeedsFresh:
            reply = {"success": False, "error": "the call needs another version of a module that this worker has loaded: deploy it, or restart the worker"}
        except Failure as failure:
            reply = {"success": False, "error": failure.text}
        return await asgi.answer(send, 200, dict({"stdout": ""}, **reply))

    async def other(self, scope, receive, send):
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1000})
        return await asgi.answer(send, 404, {"detail": "Not Found"})


def report():
    return CallReport("", lambda text: print(text, flush=True))


class LiveFlash(Live):
    def call(self, request, loop):
        extra = {}
        value = flash.execute(request, loop, report(), extra)
        return dict(flash.encode_result(value, request), success=True, **extra)


class LiveSdk2(Live):
    def __init__(self):
        super().__init__()
        self.digest = None
        self.application = None

    def call(self, request, loop):
        if not isinstance(request, dict) or not isinstance(request.get("function_code"), str):
            raise Failure("the request is not a function call: it needs function_name and function_code")
        value = json_source.execute(request, loop, report(), lambda _value: None)
        return {"success": True, "json_result": None if value is json_source.STREAMED else value}

    async def other(self, scope, receive, send):
        if scope["type"] == "http" and scope["path"] == "/_runpod/sync" and scope["method"] == "POST":
            return await self.sync(receive, send)
        if self.application is None:
            return await super().other(scope, receive, send)
        return await self.application(scope, receive, send)

    async def sync(self, receive, send):
        try:
            request = json.loads(await asgi.read_body(receive))
            source, resource = request["source"], request["resource"]
        except (ValueError, KeyError, TypeError):
            return await asgi.answer(send, 400, {"error": "a sync needs source and resource"})
        digest = hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()
        if digest != self.digest:
            try:
                application = await self.thread.run(lambda _loop: build(source, resource, request))
                init = getattr(application, "init", None)
                if init is not None:
                    await asgi.call(init, [])
            except Failure as failure:
                return await asgi.answer(send, 500, {"error": failure.text})
            except (Exception, dependencies.NeedsFresh) as error:
                return await asgi.answer(send, 500, {"error": "%s: %s" % (type(error).__name__, error)})
            self.application, self.digest = asgi.with_ping(application), digest
        return await asgi.answer(send, 200, {"status": "synced", "hash": digest})


def build(source, resource, request):
    from . import server

    dependencies.ensure(request.get("dependencies"), request.get("system_dependencies"))
    return server.application_of(server.find_api(json_source.load(source), resource))
