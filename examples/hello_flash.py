"""One function on one GPU. `./runyard demo` runs this file as it is; beside a running `./runyard up` you do it like this:

    python3 -m venv .venv && .venv/bin/pip install runpod-flash==1.21.0
    eval "$(./runyard env)"
    .venv/bin/python examples/hello_flash.py
"""

import asyncio

from runpod_flash import Endpoint, GpuGroup


@Endpoint(name="hello", gpu=GpuGroup.ANY, workers=(0, 1), idle_timeout=6)
async def hello(name):
    # This body runs on the worker, so its imports are here.
    import os
    import platform

    gpu = os.environ.get("RUNPOD_GPU_NAME", "no GPU").replace("+", " ")
    return f"Hello {name}, from Python {platform.python_version()} on worker {os.environ['RUNPOD_POD_ID']} ({gpu})"


async def main():
    print(await hello("cold start"))
    print(await hello("warm worker"))


if __name__ == "__main__":
    asyncio.run(main())
