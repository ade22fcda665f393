"""The `runpod` client, sync and asyncio: `runpod_client.py sync|asyncio ENDPOINT_ID FAST SLOW FAILING` (inputs as JSON)."""

import asyncio
import json
import os
import sys
import time

import runpod

runpod.api_key = os.environ["RUNPOD_API_KEY"]
MODE, ENDPOINT = sys.argv[1], sys.argv[2]
FAST, SLOW, FAILING = (json.loads(text) for text in sys.argv[3:6])


def use_sync():
    endpoint = runpod.Endpoint(ENDPOINT)
    job = endpoint.run({"input": FAST})
    output = job.output(timeout=60)
    slow = endpoint.run({"input": SLOW})
    while slow.status() == "IN_QUEUE":
        time.sleep(0.05)
    cancelled = slow.cancel()
    found = {
        "output": output,
        "status": job.status(),
        "sync": endpoint.run_sync({"input": FAST}, timeout=60),
        "cancelled": cancelled,
        "afterCancel": slow.status(),
        "health": endpoint.health(timeout=3),
        "failed": endpoint.run_sync({"input": FAILING}, timeout=60),
    }
    failing = endpoint.run({"input": FAILING})
    failing.output(timeout=60)
    found["failedStatus"] = failing.status()
    return {**found, **wrong_key(), **unknown_job(endpoint)}


def wrong_key():
    right, runpod.api_key = runpod.api_key, "not-a-key"
    try:
        runpod.Endpoint(ENDPOINT).run({"input": FAST})
    except RuntimeError as error:
        return {"wrongKey": str(error)}
    finally:
        runpod.api_key = right
    return {"wrongKey": None}


def unknown_job(endpoint):
    try:
        endpoint.rp_client.get(f"{ENDPOINT}/status/no-such-job")
    except Exception as error:
        return {"unknownJob": getattr(getattr(error, "response", None), "status_code", None)}
    return {"unknownJob": 200}


async def use_asyncio():
    import aiohttp
    from runpod import AsyncioEndpoint, AsyncioJob

    async with aiohttp.ClientSession() as session:
        endpoint = AsyncioEndpoint(ENDPOINT, session)
        job = await endpoint.run(FAST)
        output = await job.output(timeout=60)
        slow = await endpoint.run(SLOW)
        while await slow.status() == "IN_QUEUE":
            await asyncio.sleep(0.05)
        cancelled = await slow.cancel()
        try:
            await AsyncioJob(ENDPOINT, "no-such-job", session, endpoint.headers).status()
            unknown = None
        except KeyError as error:
            unknown = str(error)
        return {
            "output": output,
            "status": await job.status(),
            "cancelled": cancelled,
            "afterCancel": await slow.status(),
            "health": await endpoint.health(),
            "unknownJob": unknown,
        }


if __name__ == "__main__":
    print("@@ " + json.dumps(use_sync() if MODE == "sync" else asyncio.run(use_asyncio())))
