"""Every way in which a function can fail, each followed by a successful call: `flash_errors.py WAY...` prints the error texts."""

import asyncio
import json
import sys

from runpod_flash import Endpoint, GpuType


@Endpoint(name="misbehave", gpu=GpuType.NVIDIA_GEFORCE_RTX_4090, workers=(0, 1), idle_timeout=30)
async def misbehave(way):
    import ctypes
    import os
    import sys

    if way == "raise":
        raise ValueError("the cheese is gone")
    if way == "sys_exit":
        sys.exit(3)
    if way == "os_exit":
        os._exit(7)
    if way == "segfault":
        ctypes.string_at(0)
    if way == "unpicklable":
        import threading

        return threading.Lock()
    if way == "missing_import":
        import no_such_module_anywhere  # noqa: F401
    return "fine"


@Endpoint(name="missing-wheel", gpu=GpuType.NVIDIA_GEFORCE_RTX_4090, workers=(0, 1), idle_timeout=30, dependencies=["runyard-no-such-package==0.0.1"])
async def missing_wheel():
    return "unreachable"


@Endpoint(name="never-returns", gpu=GpuType.NVIDIA_GEFORCE_RTX_4090, workers=(0, 1), idle_timeout=30, execution_timeout_ms=5000)
def never_returns(forever):
    import time

    while forever:
        time.sleep(0.1)
    return "fine"


@Endpoint(name="hungry", cpu="cpu3c-1-2", workers=(0, 1), idle_timeout=30)
def hungry(gigabytes):
    blocks = []
    for _ in range(int(gigabytes * 16)):
        blocks.append(bytearray(b"x") * (64 * 1024 * 1024))
    return "fine"


CALLS = {
    "timeout": lambda: never_returns(True),
    "after_timeout": lambda: never_returns(False),
    "oom": lambda: hungry(4),
    "after_oom": lambda: hungry(0.1),
    "missing_wheel": lambda: missing_wheel(),
}


async def outcome(way):
    call = CALLS.get(way) or (lambda: misbehave(way))  # anything unknown ends well
    try:
        return {"value": await call()}
    except Exception as error:
        return {"error": str(error), "type": type(error).__name__}


async def main():
    return {way: await outcome(way) for way in sys.argv[1:]}


if __name__ == "__main__":
    print("@@ " + json.dumps(asyncio.run(main())))
