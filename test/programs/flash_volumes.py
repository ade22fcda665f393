"""A Flash function with a network volume: what one worker writes, a later one reads. Argument: write or read."""

import asyncio
import json
import sys

from runpod_flash import Endpoint, GpuGroup, NetworkVolume


@Endpoint(name="keeper", gpu=GpuGroup.ADA_24, workers=(0, 1), idle_timeout=1, volume=NetworkVolume(name="models", size=50))
async def keep(what):
    import os
    from pathlib import Path

    file = Path(os.environ["RUNPOD_VOLUME_PATH"]) / "note"
    if what == "write":
        file.write_text("kept")
    worker = os.environ["RUNPOD_POD_ID"]
    return {"note": file.read_text() if file.exists() else None, "worker": worker, "path": os.environ["RUNPOD_VOLUME_PATH"]}


print("@@ " + json.dumps(asyncio.run(keep(sys.argv[1]))))
