"""Apis of the Runpod SDK 2.0, a class with marked methods and a function that returns a FastAPI app, and a task, which calls Runyard with its own key."""

import json

import runpod
from runpod import App, get, init, post

app = App("routes")


@app.api(name="counting", cpu="cpu3c-1-2", workers=(0, 1))
class Counting:
    @init
    def load(self):
        self.calls = 0

    @post("/count")
    def count(self, body: dict):
        self.calls += body["by"]
        return {"calls": self.calls}

    @get("/names")
    async def names(self):
        return ["a", "b"]


@app.api(name="served", cpu="cpu3c-1-2", workers=(0, 1))
def served():
    from fastapi import FastAPI

    application = FastAPI()

    @application.get("/items/{item}")
    def item(item: int, half: bool = False):
        return {"value": item / 2 if half else item}

    return application


@app.task(name="training", cpu="cpu3c-1-2")
def training(number: int) -> dict:
    import json
    import os
    import urllib.request

    print("training on", number, flush=True)
    headers = {"Authorization": "Bearer " + os.environ["RUNPOD_API_KEY"]}
    url = os.environ["RUNPOD_API_BASE_URL"] + "/v2/serverless"
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as reply:
        endpoints = json.load(reply)["endpoints"]
    return {"number": number * 2, "pod": os.environ["RUNPOD_POD_ID"], "endpoints": len(endpoints)}


@runpod.local_entrypoint
def main():
    found = {"counted": [Counting.post("/count", {"by": n}) for n in (1, 2)], "names": Counting.get("/names")}
    found["item"] = served.get("/items/42?half=true")
    found["trained"] = training.remote(number=21)
    print("@@ " + json.dumps(found))
