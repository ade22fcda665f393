# An app of the SDK 2.0 with one queue, which shows what it runs on. `rp flash deploy` builds it; run as a program, it calls what was deployed.
import os

import runpod

app = runpod.App("mill")
WORD = "coarse"
# An installation would fail.
NOWHERE = "http://127.0.0.1:9/simple"
ENV = {name: NOWHERE for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")}


@app.queue(cpu="cpu3c-1-2", workers=(0, 1), dependencies=["six"], env=ENV)
def grind(grain: str) -> dict:
    import six

    found = {"flour": f"{WORD} {grain}", "six": six.__file__}
    try:
        with open("/app/written", "w"):
            return {**found, "wrote": "yes"}
    except OSError as error:
        return {**found, "wrote": os.strerror(error.errno)}


if __name__ == "__main__":
    import json

    print("@@", json.dumps(grind.remote(grain="rye")))
