"""A worker image's own handlers on the unmodified Runpod worker SDK; they do not know Runyard."""

import asyncio
import hashlib
import os
import signal
import threading
import time

import runpod


def answer(job):
    wish = job["input"]
    if "raise" in wish:
        raise ValueError(wish["raise"])
    if "error" in wish:
        return {"error": wish["error"]}
    if "late" in wish:
        threading.Timer(1, runpod.serverless.progress_update, (job, wish["late"])).start()
    if "value" in wish:
        value = wish["value"]
        return {"twice": value + value, "arrived": hashlib.sha256(value.encode()).hexdigest()}
    reply = {"echo": wish, "sdk": runpod.__version__, "worker": os.environ.get("RUNPOD_POD_ID"), "id": job["id"]}
    return {**reply, "refresh_worker": True} if "refresh" in wish else reply


def is_held(wish):
    """Ends when the file `until` exists; `hang_on` names a worker on which the job never ends."""
    if "until" in wish:
        return not os.path.exists(wish["until"])
    return wish.get("hang_on", "none") == os.environ.get("RUNPOD_POD_ID")


def handler(job):
    wish = job["input"]
    if "progress" in wish:
        runpod.serverless.progress_update(job, wish["progress"])
    time.sleep(wish.get("sleep", 0))
    while is_held(wish):
        time.sleep(0.05)
    return answer(job)


async def async_handler(job):
    wish = job["input"]
    await asyncio.sleep(wish.get("sleep", 0))
    if "kill" in wish:
        os.kill(os.getpid(), signal.SIGKILL)
    while is_held(wish):
        await asyncio.sleep(0.05)
    return answer(job)


def chunk(wish, number):
    if wish.get("error_at") == number:
        return {"error": "no more cheese"}
    if wish.get("raise_at") == number:
        raise ValueError("the cheese is gone")
    return {"number": number}


def generator(job):
    for number in range(job["input"]["count"]):
        time.sleep(job["input"].get("gap", 0.05))
        yield chunk(job["input"], number)


async def async_generator(job):
    for number in range(job["input"]["count"]):
        await asyncio.sleep(job["input"].get("gap", 0.05))
        yield chunk(job["input"], number)


KINDS = {
    "sync": {"handler": handler},
    "async": {"handler": async_handler, "concurrency_modifier": lambda _current: int(os.environ.get("CONCURRENCY", "3"))},
    "generator": {"handler": generator, "return_aggregate_stream": True},
    "stream": {"handler": async_generator, "refresh_worker": True},
}

if os.environ.get("FITNESS") == "fails":

    @runpod.serverless.register_fitness_check
    def enough_cheese():
        raise RuntimeError("there is no cheese")


runpod.serverless.start(KINDS[os.environ.get("HANDLER_KIND", "sync")])
