# An app of the SDK 2.0 with one queue. `rp flash deploy` builds it; run as a program, it calls the deployed function.
import os

import runpod

app = runpod.App("bakery")


@app.queue(cpu="cpu3c-1-2", workers=(0, 1))
def bake(number: int) -> dict:
    return {"loaves": number * 2, "endpoint": os.environ["RUNPOD_ENDPOINT_ID"]}


if __name__ == "__main__":
    import json

    print("@@", json.dumps(bake.remote(number=3)))
