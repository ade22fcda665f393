# A Flash project of one function and one caller. `flash deploy` builds it; run as a program, it calls the deployed function.
import os

from runpod_flash import Endpoint

WORD = "hello"


@Endpoint(name="greet", cpu="cpu3c-1-2", workers=(0, 1), idle_timeout=30)
async def greet(name: str) -> dict:
    return {"text": f"{WORD} {name}", "endpoint": os.environ["RUNPOD_ENDPOINT_ID"]}


if __name__ == "__main__":
    import asyncio
    import json

    print("@@", json.dumps(asyncio.run(greet(name="you"))))
