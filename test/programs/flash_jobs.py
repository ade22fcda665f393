"""Flash's own client of an existing endpoint: `flash_jobs.py ENDPOINT_ID INPUT_FAST INPUT_SLOW` (inputs as JSON)."""

import asyncio
import json
import sys

from runpod_flash import Endpoint

ENDPOINT, FAST, SLOW = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])


async def main():
    endpoint = Endpoint(id=ENDPOINT)
    done = await endpoint.run(FAST)
    await done.wait(timeout=60)
    slow = await endpoint.run(SLOW)
    while await slow.status() == "IN_QUEUE":
        await asyncio.sleep(0.05)
    await slow.cancel()
    await slow.wait(timeout=30)
    sync = await endpoint.runsync(FAST)
    return {
        "output": done.output,
        "done": done.done,
        "cancelled": await slow.status(),
        "sync": sync.output,
        "syncError": sync.error,
    }


if __name__ == "__main__":
    print("@@ " + json.dumps(asyncio.run(main())))
