"""A queue function of SDK 2.0 with a network volume: what it wrote in an earlier run is still there."""

import json

import runpod
from runpod import App, NetworkVolume

app = App("keeping")
volume = NetworkVolume("notes", size=20)


@app.queue(cpu="cpu3c-2-4", workers=(0, 1), mounts={"/runpod-volume": volume})
def keep():
    file = volume.path / "note"
    before = file.read_text() if file.exists() else ""
    file.write_text(before + "x")
    return {"before": before, "path": str(volume.path)}


@runpod.local_entrypoint
def main():
    print("@@ " + json.dumps(keep.remote()))
