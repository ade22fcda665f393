"""The documented behaviour of the `runpod` 1.12 client: `runpod_contract.py ENDPOINT LIMITED CALLS`; CALLS is JSON by name."""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import runpod

runpod.api_key = os.environ["RUNPOD_API_KEY"]
ENDPOINT, LIMITED = sys.argv[1:3]
CALLS = json.loads(sys.argv[3])
endpoint = runpod.Endpoint(ENDPOINT)


def failed():
    job = endpoint.run(CALLS["failing"])
    value = job.output(timeout=60)
    state = endpoint.rp_client.get(f"{ENDPOINT}/status/{job.job_id}")
    return {"value": value, "error": state["error"], "status": state["status"]}


def limited():
    """Two GETs where one is allowed: over plain HTTP the client waits for `Retry-After`."""
    client = runpod.Endpoint(LIMITED).rp_client
    return [client.get(f"{LIMITED}/requests") for _ in range(2)]


with ThreadPoolExecutor() as pool:
    found = {
        "slow": pool.submit(endpoint.run_sync, {"input": CALLS["slow"]}, 60),
        "failed": pool.submit(failed),
        "failedSync": pool.submit(endpoint.run_sync, CALLS["failing"], 60),
        "limited": pool.submit(limited),
    }
    print("@@ " + json.dumps({name: future.result() for name, future in found.items()}))
