"""One queue function of the Runpod SDK 2.0, as `rp flash init` writes it."""

import json

import runpod
from runpod import App

app = App("contract")


@app.queue(cpu="cpu3c-1-2", workers=(0, 1), dependencies=["six==1.17.0"])
def greet(name: str, times: int = 1):
    import os

    import six

    print(f"greeting {name} from a worker")
    return {"greeting": f"hello {name}" * times, "six": six.__version__, "endpoint": os.environ.get("RUNPOD_ENDPOINT_ID")}


@app.queue(name="failing", cpu="cpu3c-1-2", workers=(0, 1))
def failing():
    raise ValueError("the cheese is gone")


@app.queue(name="breaking", cpu="cpu3c-1-2", workers=(0, 1))
def breaking(n: int):
    for k in range(n):
        yield k
    raise ValueError("the cheese is gone")


def read(stream):
    """The values of a stream, and how it ends."""
    values = []
    try:
        for value in stream:
            values.append(value)
    except Exception as error:
        return {"values": values, "type": type(error).__name__, "text": str(error)}
    return {"values": values}


@runpod.local_entrypoint
def main():
    found = {"remote": greet.remote("world"), "spawned": greet.spawn("you", times=2).result()}
    try:
        failing.remote()
    except Exception as error:
        found["error"] = {"type": type(error).__name__, "text": str(error)}
    found["broken"] = read(breaking.stream(2))
    found["brokenAtOnce"] = read(breaking.stream(0))
    print("@@ " + json.dumps(found))
