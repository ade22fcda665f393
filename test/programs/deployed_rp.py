# An app of the SDK 2.0 with queues, a generator among them, and two apis: a class with routes, and a FastAPI app. `rp flash deploy` builds it; run as a
# program, it calls what was deployed, also three times at once, and one queue calls the others by stubs.
import asyncio
import os

import runpod
from runpod import get, init, post

app = runpod.App("bakery")
WORD = "fresh"
IN_OVEN = []


@app.queue(cpu="cpu3c-1-2", workers=(0, 1), max_concurrency=3)
async def bake(number: int, of: int = 1) -> dict:
    # Calls share the oven only where they overlap in one process.
    IN_OVEN.append(number)
    deadline = asyncio.get_running_loop().time() + 30
    while len(IN_OVEN) < of and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.01)
    return {"loaves": number * 2, "endpoint": os.environ["RUNPOD_ENDPOINT_ID"], "in_oven": len(IN_OVEN)}


@app.queue(cpu="cpu3c-1-2", workers=(0, 1))
def sell(number: int) -> dict:
    made = runpod.Queue(app="bakery", name="bake").remote(number=number)
    return {"baked": made["loaves"], "counted": runpod.Api(app="bakery", name="counter").get("/loaves/%d" % made["loaves"])}


@app.queue(cpu="cpu3c-1-2", workers=(0, 1))
async def slices(of: int):
    for number in range(of):
        yield {"slice": number, "word": WORD}


@app.api(cpu="cpu3c-1-2", workers=(0, 1))
class Till:
    @init
    def open(self):
        self.cash = 10

    @post("/pay")
    def pay(self, body: dict):
        self.cash += body["amount"]
        return {"cash": self.cash}

    @get("/cash")
    async def count(self):
        return self.cash


@app.api(name="counter", cpu="cpu3c-1-2", workers=(0, 1))
def counter():
    from fastapi import FastAPI

    served = FastAPI()

    @served.get("/loaves/{number}")
    def loaves(number: int):
        return {"loaves": number}

    return served


if __name__ == "__main__":
    import json

    one = bake.remote(number=3)
    calls = [bake.spawn(number=number, of=4) for number in range(3)]
    in_oven = [call.result()["in_oven"] for call in calls]
    found = {**one, "in_oven": in_oven, "counted": counter.get("/loaves/4"), "sold": sell.remote(number=5)}
    found["slices"] = list(slices.stream(of=2))
    found["cash"] = [Till.post("/pay", {"amount": amount})["cash"] for amount in (1, 2)] + [Till.get("/cash")]
    print("@@", json.dumps(found))
