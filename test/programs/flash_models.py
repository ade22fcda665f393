"""Parses responses with Flash's own strict models: `flash_models.py HEALTH STATUS...`, each one the JSON of a body."""

import json
import sys

from runpod_flash.core.resources.serverless import JobOutput, ServerlessHealth

health, *states = (json.loads(text) for text in sys.argv[1:])
read = ServerlessHealth(**health)
found = {"workers": read.workers.model_dump(), "jobs": read.jobs.model_dump()}
print("@@ " + json.dumps({**found, "states": [JobOutput(**state).model_dump() for state in states]}))
