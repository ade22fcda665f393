"""Readers of streams with SDK 2.0: `stream_ends.py GATE ENDPOINT:JOB…`. The file GATE-JOB shows that the first value has arrived; at the end
the program prints for each job the values of its stream and how it ended."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from runpod.apps.job import Job
from runpod.apps.targets import LiveTarget

GATE, NAMES = sys.argv[1], sys.argv[2:]


def read(name):
    endpoint, _, job = name.partition(":")
    values = 0
    try:
        for _ in Job({"id": job}, LiveTarget(endpoint)).stream(timeout=150):
            values += 1
            Path(f"{GATE}-{job}").touch()
    except Exception as error:
        return {"values": values, "type": type(error).__name__, "text": str(error)}
    return {"values": values}


with ThreadPoolExecutor(len(NAMES)) as pool:
    print("@@ " + json.dumps({name.partition(":")[2]: found for name, found in zip(NAMES, pool.map(read, NAMES))}))
