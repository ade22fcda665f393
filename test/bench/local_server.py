"""A handler that does nothing, for the SDK's local test server."""

import runpod

runpod.serverless.start({"handler": lambda job: "done"})
