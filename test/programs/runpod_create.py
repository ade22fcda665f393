"""Creates an endpoint for an image, as the documentation of `runpod` does: `runpod_create.py NAME IMAGE`."""

import json
import os
import sys

import runpod

runpod.api_key = os.environ["RUNPOD_API_KEY"]
NAME, IMAGE = sys.argv[1:3]

template = runpod.create_template(f"{NAME} template", IMAGE, is_serverless=True)
endpoint = runpod.create_endpoint(NAME, template["id"], workers_max=1, idle_timeout=30)
print("@@ " + json.dumps({"id": endpoint["id"]}))
