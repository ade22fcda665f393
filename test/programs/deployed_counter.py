# A Flash project of a class, an endpoint with a route, and a function that calls both and shows what it runs on. `flash deploy` builds it; run as a
# program, it calls what was deployed.
import asyncio
import os

from runpod_flash import Endpoint

WORD = "hello"
# An installation would fail.
NOWHERE = "http://127.0.0.1:9/simple"
ENV = {name: NOWHERE for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")}


@Endpoint(name="counter", cpu="cpu3c-1-2", workers=(0, 1), idle_timeout=300, env=ENV)
class Counter:
    def __init__(self):
        self.count = 0

    def add(self, number: int):
        self.count += number
        return {"count": self.count}


desk = Endpoint(name="desk", cpu="cpu3c-1-2", workers=(0, 1), idle_timeout=300, env=ENV)


@desk.get("/word")
async def word() -> dict:
    return {"word": WORD}


@Endpoint(name="greet", cpu="cpu3c-1-2", workers=(0, 1), idle_timeout=300, dependencies=["six"], env=ENV)
async def greet(name: str) -> dict:
    import six

    found = {"text": f"{WORD} {name}", "six": six.__file__, "environment": os.environ["FLASH_ENV"]}
    try:
        with open("/app/written", "w"):
            found["wrote"] = "yes"
    except OSError as error:
        found["wrote"] = os.strerror(error.errno)
    if name == "you":
        found["counted"] = await Counter().add(number=4)
        found["desk"] = await Endpoint(id="desk", name="desk").get("/word")
    return found


async def call() -> dict:
    counter = Counter()
    return {"counts": [await counter.add(number=number) for number in (2, 3)], **await greet(name="you")}


if __name__ == "__main__":
    import json

    print("@@", json.dumps(asyncio.run(call())))
