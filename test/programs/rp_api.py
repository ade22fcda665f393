"""Apis of the Runpod SDK 2.0: a class with marked methods, and a function that returns a FastAPI app."""

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


@runpod.local_entrypoint
def main():
    found = {"counted": [Counting.post("/count", {"by": n}) for n in (1, 2)], "names": Counting.get("/names")}
    found["item"] = served.get("/items/42?half=true")
    print("@@ " + json.dumps(found))
