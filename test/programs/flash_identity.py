"""Calls one endpoint whose name and settings come from the command line: `flash_identity.py NAME IDLE_TIMEOUT [ENV_VALUE]`."""

import asyncio
import json
import os
import platform
import sys

from runpod_flash import Endpoint, GpuType

NAME, IDLE_TIMEOUT = sys.argv[1], int(sys.argv[2])
ENV = {"FLAVOUR": sys.argv[3]} if len(sys.argv) > 3 else None


@Endpoint(name=NAME, gpu=GpuType.NVIDIA_GEFORCE_RTX_4090, workers=(0, 1), idle_timeout=IDLE_TIMEOUT, env=ENV)
async def which():
    import os

    return {
        "endpoint": os.environ["RUNPOD_ENDPOINT_ID"],
        "worker": os.environ["RUNPOD_POD_ID"],
        "flavour": os.environ.get("FLAVOUR"),
        "told": os.environ.get("RUNYARD_CLIENT_PYTHON"),
    }


async def main():
    found = await which()
    return {**found, "python": platform.python_version(), "cache": os.path.exists(".flash/resources.pkl")}


if __name__ == "__main__":
    print("@@ " + json.dumps(asyncio.run(main())))
