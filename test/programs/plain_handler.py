"""A worker image's own handler on the unmodified Runpod worker SDK; it knows nothing of Runyard."""

import os
import time

import runpod


def handler(job):
    wish = job["input"]
    if "sleep" in wish:
        time.sleep(wish["sleep"])
    if "raise" in wish:
        raise ValueError(wish["raise"])
    if "error" in wish:
        return {"error": wish["error"]}
    if "progress" in wish:
        runpod.serverless.progress_update(job, wish["progress"])
        time.sleep(wish.get("hold", 1))
    return {"echo": wish, "sdk": runpod.__version__, "worker": os.environ.get("RUNPOD_POD_ID"), "id": job["id"]}


def generator(job):
    for number in range(job["input"]["count"]):
        time.sleep(job["input"].get("gap", 0.05))
        yield {"number": number}




if os.environ.get("HANDLER_KIND") == "generator":
    runpod.serverless.start({"handler": generator, "return_aggregate_stream": True})
else:
    runpod.serverless.start({"handler": handler})
