# A Flash project of one function, one endpoint with routes, and one caller. `flash deploy` builds it; run as a program, it calls what was deployed, the
# function also three times at once.
import asyncio
import os

from runpod_flash import Endpoint

WORD = "hello"
MET = []


@Endpoint(name="greet", cpu="cpu3c-1-2", workers=(0, 1), idle_timeout=300, max_concurrency=3)
async def greet(name: str, of: int = 1) -> dict:
    if name == "desk":
        return {"word": await Endpoint(id="desk", name="desk").get("/word")}
    # Calls of one party meet only where they overlap in one process.
    MET.append(name)
    deadline = asyncio.get_running_loop().time() + 30
    while len(MET) < of and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.01)
    return {"text": f"{WORD} {name}", "endpoint": os.environ["RUNPOD_ENDPOINT_ID"], "met": len(MET)}


desk = Endpoint(name="desk", cpu="cpu3c-1-2", workers=(0, 1), idle_timeout=300)


@desk.get("/word")
async def word(after: float = 0) -> dict:
    await asyncio.sleep(after)
    return {"word": WORD}


@desk.post("/double")
async def double(number: int) -> dict:
    return {"number": number * 2}


@desk.get("/greeting")
async def greeting() -> dict:
    return {"greeting": (await greet(name="guest"))["text"]}


def resolve_localhost(host, *more, **options):
    """As systemd's resolver does. Debian's own knows no names below localhost."""
    name = host.decode() if isinstance(host, bytes) else str(host)
    return RESOLVE("127.0.0.1" if name.endswith(".localhost") else host, *more, **options)


async def call() -> dict:
    one = await greet(name="you")
    deployed = Endpoint(id=os.environ["DESK"])
    one["word"] = await deployed.get("/word")
    one["doubled"] = await deployed.post("/double", {"number": 21})
    party = await asyncio.gather(*(greet(name=name, of=4) for name in "abc"))
    one["nested"] = [await greet(name="desk"), await deployed.get("/greeting")]
    return {**one, "met": [guest["met"] for guest in party]}


if __name__ == "__main__":
    import json
    import socket

    RESOLVE, socket.getaddrinfo = socket.getaddrinfo, resolve_localhost

    print("@@", json.dumps(asyncio.run(call())))
