"""Plain handlers as `runpod` 1.12 shows them to its users: `runpod_rows.py ECHO YIELDS CLOSED`; CLOSED has no workers."""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import runpod

runpod.api_key = os.environ["RUNPOD_API_KEY"]
ECHO, YIELDS, CLOSED = (runpod.Endpoint(name) for name in sys.argv[1:4])


def called():
    job = ECHO.run({"input": {"sleep": 3, "word": "hello"}})
    first = job.status()
    return {"first": first, "output": job.output(30), "last": job.status()}


def ended_in_the_queue():
    cancelled, purged = (CLOSED.run({"input": {"word": word}}) for word in ("cancel", "purge"))
    found = {"cancel": cancelled.cancel(), "purge": CLOSED.purge_queue(), "health": CLOSED.health()}
    return {**found, "outputs": [job.output(30) for job in (cancelled, purged)], "polled": purged.status()}


def failed():
    job = ECHO.run({"input": {"raise": "the cheese is gone"}})
    value = job.output(30)
    state = ECHO.rp_client.get(f"{ECHO.endpoint_id}/status/{job.job_id}")
    return {"value": value, "status": state["status"], "error": state["error"]}


def streamed(count, gap):
    return list(YIELDS.run({"input": {"count": count, "gap": gap}}).stream())


with ThreadPoolExecutor() as pool:
    found = {
        "called": pool.submit(called),
        "ended": pool.submit(ended_in_the_queue),
        "failed": pool.submit(failed),
        "failedSync": pool.submit(ECHO.run_sync, {"input": {"raise": "the cheese is gone"}}),
        "sync": pool.submit(ECHO.run_sync, {"input": {"word": "fast"}}),
        "seven": pool.submit(streamed, 7, 0.05),
        "gaps": pool.submit(streamed, 2, 12),
    }
    print("@@ " + json.dumps({name: future.result() for name, future in found.items()}))
