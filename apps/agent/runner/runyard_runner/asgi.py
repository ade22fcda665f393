"""Small ASGI apps around the user's own: health, routes of a class, an app that could not be loaded. No framework, so that any image can serve."""

import inspect
import json

HEALTHY = {"status": "healthy"}


async def read_body(receive):
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def answer(send, status, value):
    body = json.dumps(value).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def answer_lifespan(receive, send, begin=None):
    """`begin` runs before the first request is served."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                value = begin() if begin else None
                if inspect.isawaitable(value):
                    await value
            except BaseException as error:
                await send({"type": "lifespan.startup.failed", "message": "%s: %s" % (type(error).__name__, error)})
                raise
            await send({"type": "lifespan.startup.complete"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return


def with_ping(application):
    """/ping of an app that has none of its own: without it no worker would become ready (production §3.4)."""

    async def wrapped(scope, receive, send):
        if scope["type"] != "http" or scope["path"] != "/ping" or scope["method"] not in ("GET", "HEAD"):
            return await application(scope, receive, send)
        held, passed = [], False

        async def watch(message):
            nonlocal passed
            if not passed and message["type"] == "http.response.start" and message["status"] in (404, 405):
                held.append(message)
            elif not held:
                passed = True
                await send(message)

        await application(scope, receive, watch)
        if held:
            await answer(send, 200, HEALTHY)

    return wrapped


class Broken:
    """Answers everything but /ping with the text of a failed load."""

    def __init__(self, text):
        self.text = text

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await answer_lifespan(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1011, "reason": self.text[:100]})
        elif scope["path"] == "/ping":
            await answer(send, 200, HEALTHY)
        else:
            await answer(send, 500, {"error": self.text})


class Methods:
    """The marked methods of a class: each gets the parsed JSON body, or nothing, and its value is the answer (sdk2-api §5.3)."""

    def __init__(self, routes, init=None):
        self.routes = routes
        self.init = init

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            return await answer_lifespan(receive, send, self.init)
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1000})
        path = scope["path"]
        method = self.routes.get((scope["method"], path))
        if method is None:
            status, text = (405, "Method Not Allowed") if any(known == path for _, known in self.routes) else (404, "Not Found")
            return await answer(send, status, {"detail": text})
        try:
            arguments = parse(await read_body(receive)) if scope["method"] != "GET" else []
        except ValueError as error:
            return await answer(send, 400, {"detail": "the body is no JSON: %s" % error})
        try:
            await answer(send, 200, await call(method, arguments))
        except Exception as error:
            import traceback

            traceback.print_exc()
            await answer(send, 500, {"error": "%s: %s" % (type(error).__name__, error)})


def parse(body):
    return [json.loads(body)] if body.strip() else []


async def call(method, arguments):
    """A plain method must not hold up the others."""
    import asyncio

    if inspect.iscoroutinefunction(method):
        return await method(*arguments)
    value = await asyncio.get_running_loop().run_in_executor(None, lambda: method(*arguments))
    return await value if inspect.isawaitable(value) else value
