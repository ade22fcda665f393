"""Sends 15 MB to a function and gets twice as much back, with `run_sync`: `large_values.py ENDPOINT_ID CALL`.

CALL is the input as JSON, without the value; `{}` is for a plain handler.
"""

import hashlib
import json
import os
import random
import sys

import runpod

runpod.api_key = os.environ["RUNPOD_API_KEY"]
ENDPOINT, CALL = sys.argv[1], json.loads(sys.argv[2])

value = "“ü” 𝄞 " + random.Random(7).randbytes(7_500_000).hex()
CALL["kwargs" if CALL else "value"] = {"value": value} if CALL else value
reply = runpod.Endpoint(ENDPOINT).run_sync({"input": CALL}, timeout=100)
reply = reply[0] if isinstance(reply, list) else reply
result = reply.get("json_result", reply)


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


found = {
    "arrived": result["arrived"],
    "sent": digest(value),
    "returned": digest(result["twice"]),
    "expected": digest(value + value),
    "bytes": len(result["twice"].encode()),
}
print("@@ " + json.dumps(found))
