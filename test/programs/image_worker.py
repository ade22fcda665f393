"""Responds like image workers: a picture as a data URL after `sleep` seconds, or an error that is an object if the prompt is "nothing"."""

import asyncio

import runpod

PICTURE = "data:image/png;base64,iVBORw0KGgo="


async def draw(job):
    wish = job["input"]
    await asyncio.sleep(wish.get("sleep", 0))
    if wish["prompt"] == "nothing":
        return {"error": {"message": "there is nothing to draw"}}
    return {"image_url": PICTURE, "cost": 0.001}


runpod.serverless.start({"handler": draw, "concurrency_modifier": lambda _current: 5})
