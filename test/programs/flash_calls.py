"""An unmodified Flash program: one endpoint per kind of call. `flash_calls.py SCENARIO` prints what it found as `@@ {json}`."""

import asyncio
import json
import sys
import time

from runpod_flash import Endpoint, GpuType

CARD = GpuType.NVIDIA_GEFORCE_RTX_4090


# Longer than the client needs to notice an end: it polls up to 6 s apart.
@Endpoint(name="hello", gpu=CARD, workers=(0, 1), idle_timeout=10)
async def hello(name):
    import os

    print(f"greeting {name}")
    return {"greeting": f"hello {name}", "pid": os.getpid(), "worker": os.environ.get("RUNPOD_POD_ID")}


@Endpoint(name="plain", gpu=CARD, workers=(0, 1), idle_timeout=30)
def plain(left, right=2):
    return {"sum": left + right}


@Endpoint(name="counter", gpu=CARD, workers=(0, 1), idle_timeout=30)
class Counter:
    def __init__(self, start):
        self.value = start

    def add(self, amount):
        self.value += amount
        return self.value

    async def read(self):
        return self.value


@Endpoint(name="wheel", gpu=CARD, workers=(0, 1), idle_timeout=30, dependencies=["tinydb==4.8.2"])
async def wheel():
    import tinydb

    db = tinydb.TinyDB(storage=tinydb.storages.MemoryStorage)
    db.insert({"answer": 42})
    return {"version": tinydb.__version__, "rows": [dict(row) for row in db.all()]}


@Endpoint(name="inner", gpu=CARD, workers=(0, 1), idle_timeout=30)
async def inner(value):
    return value * 2


@Endpoint(name="outer", gpu=CARD, workers=(0, 1), idle_timeout=30)
async def outer(value):
    doubled = await inner(value)
    return doubled + 1


@Endpoint(name="arrays", gpu=CARD, workers=(0, 1), idle_timeout=30, dependencies=["numpy"])
async def arrays(matrix):
    import numpy

    return {"product": matrix @ matrix.T, "kind": str(matrix.dtype), "zeros": numpy.zeros(3)}


@Endpoint(name="large", gpu=CARD, workers=(0, 1), idle_timeout=30)
async def large(blob):
    return blob[::-1]


@Endpoint(name="spread", gpu=CARD, workers=(0, 3), idle_timeout=30)
async def spread(number, seconds):
    import asyncio as aio
    import os

    await aio.sleep(seconds)
    return {"number": number, "worker": os.environ.get("RUNPOD_POD_ID")}


@Endpoint(name="talk", gpu=CARD, workers=(0, 1), idle_timeout=30)
async def talk():
    import logging
    import sys as system

    print("said on stdout")
    print("said on stderr", file=system.stderr)
    logging.getLogger("talk").warning("said by logging")
    return "said"


async def run_hello():
    begun = time.monotonic()
    first = await hello("cold")
    cold = time.monotonic() - begun
    begun = time.monotonic()
    second = await hello("warm")
    return {"first": first, "second": second, "coldS": cold, "warmS": time.monotonic() - begun}


async def run_plain():
    return {"value": await plain(40), "keyword": await plain(40, right=1)}


async def run_class():
    counter = Counter(1)
    values = [await counter.add(0), await counter.add(5), await counter.read()]
    other = Counter(100)
    return {"values": values, "other": await other.add(1), "again": await counter.read()}


async def run_wheel():
    return {"first": await wheel(), "second": await wheel()}


async def run_stacked():
    return {"value": await outer(20)}


async def run_numpy():
    import numpy

    matrix = numpy.arange(6, dtype="float32").reshape(2, 3)
    # By keyword, because Flash's client fails on an array as the first positional argument (`args == (None,)`).
    got = await arrays(matrix=matrix)
    same = bool(numpy.array_equal(got["product"], matrix @ matrix.T))
    return {"same": same, "kind": got["kind"], "type": type(got["product"]).__name__, "zeros": got["zeros"].tolist()}


async def run_large():
    blob = bytes(range(256)) * 4 * 1024 * 5
    got = await large(blob)
    return {"bytes": len(got), "same": got == blob[::-1]}


async def run_spread():
    # Two calls keep a worker busy until the third has started.
    got = await asyncio.gather(*(spread(number, 7 if number < 2 else 1) for number in range(8)))
    return {"numbers": [one["number"] for one in got], "workers": sorted({one["worker"] for one in got})}


async def run_talk():
    return {"value": await talk()}


if __name__ == "__main__":
    print("@@ " + json.dumps(asyncio.run(globals()[f"run_{sys.argv[1]}"]())))
