# A Flash project of one function and one caller. `flash deploy` builds it; run as a program, it calls the deployed function, also three times at once.
import asyncio
import os

from runpod_flash import Endpoint

WORD = "hello"
MET = []


@Endpoint(name="greet", cpu="cpu3c-1-2", workers=(0, 1), idle_timeout=30, max_concurrency=3)
async def greet(name: str, of: int = 1) -> dict:
    # Calls of one party meet only where they overlap in one process.
    MET.append(name)
    deadline = asyncio.get_running_loop().time() + 30
    while len(MET) < of and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.01)
    return {"text": f"{WORD} {name}", "endpoint": os.environ["RUNPOD_ENDPOINT_ID"], "met": len(MET)}


async def call() -> dict:
    one = await greet(name="you")
    party = await asyncio.gather(*(greet(name=name, of=4) for name in "abc"))
    return {**one, "met": [guest["met"] for guest in party]}


if __name__ == "__main__":
    import json

    print("@@", json.dumps(asyncio.run(call())))
