# An app of the SDK 2.0 with two queues and one api. `rp flash deploy` builds it; run as a program, it calls what was deployed, also three times at once, and
# one queue calls the others by stubs.
import asyncio
import os

import runpod

app = runpod.App("bakery")
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
    print("@@", json.dumps({**one, "in_oven": in_oven, "counted": counter.get("/loaves/4"), "sold": sell.remote(number=5)}))
