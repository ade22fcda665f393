"""A user of the `runpod` client who reads a stream and asks again when it breaks: `runpod_stream.py ENDPOINT JOB GATE`.

Once its first answer has begun it says so by the file GATE.reached, and reads on when there is GATE.open.
"""

import json
import os
import sys
import time
from pathlib import Path

import requests
import runpod
from runpod.endpoint import Job

runpod.api_key = os.environ["RUNPOD_API_KEY"]
ENDPOINT, JOB, GATE = sys.argv[1:4]
client = runpod.Endpoint(ENDPOINT).rp_client


def wait_at_gate(response, **_):
    """`requests` calls this between headers and body."""
    Path(f"{GATE}.reached").touch()
    while not os.path.exists(f"{GATE}.open"):
        time.sleep(0.05)


client.rp_session.hooks["response"].append(wait_at_gate)
job = Job(ENDPOINT, JOB, client)
numbers, broken, ended = [], 0, False
while not ended:
    try:
        for chunk in job.stream():
            numbers.append(chunk["number"])
        ended = True
    except requests.RequestException:
        broken += 1
print("@@ " + json.dumps({"numbers": numbers, "broken": broken}))
