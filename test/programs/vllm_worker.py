"""A worker that yields like worker-vllm and worker-infinity-embedding (worker-api §14.2), without a model: it repeats its prompt.

WORKER_KIND: `current` (raw pieces of the event stream, cut anywhere), `older` (whole events in growing batches), `objects` (the older one with
RAW_OPENAI_OUTPUT=0) or `embeddings` (a plain handler).
"""

import asyncio
import json
import os

import runpod

KIND = os.environ.get("WORKER_KIND", "current")
MODEL = "parrot"
PIECE_BYTES = 37
stopped = []


def vllm_error(code, message):
    """The responses of the inner server, and how each generation of the worker forwards them."""
    error = {"message": message, "type": "NotFoundError" if code == 404 else "BadRequestError", "param": "model", "code": code}
    if KIND == "current":
        detail = json.dumps({"error": error})
        return {"error": {"message": f"vLLM returned HTTP {code}: {detail}", "type": "worker_error", "code": None}}
    return {"object": "error", **error}


def prompt_of(body):
    return body["messages"][-1]["content"] if "messages" in body else body["prompt"]


def whole(route, text):
    if route == "/v1/completions":
        choice = {"index": 0, "text": text, "finish_reason": "stop"}
        return {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": MODEL, "choices": [choice]}
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": MODEL, "choices": [choice], "usage": usage}


def part(route, text, finish_reason=None):
    if route == "/v1/completions":
        choice = {"index": 0, "text": text, "finish_reason": finish_reason}
        return {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": MODEL, "choices": [choice]}
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish_reason}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": MODEL, "choices": [choice]}


def event(value):
    return f"data: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}\n\n"


def pieces(route, words):
    """The whole response, cut as the generation does. The last part is marked as the last, without which some clients fail."""
    parts = [part(route, word) for word in words[:-1]] + [part(route, words[-1], "stop")]
    if KIND == "current":
        body = ("".join(event(each) for each in parts) + event("[DONE]")).encode()
        return [body[at : at + PIECE_BYTES].decode("utf-8", errors="replace") for at in range(0, len(body), PIECE_BYTES)]
    batches, size = [], 1
    while parts:
        batches.append(parts[:size])
        parts = parts[size:]
        size = min(size * 3, 50)
    if KIND == "objects":
        return batches
    return ["".join(event(value) for value in batch) for batch in batches] + [event("[DONE]")]


async def answer(job):
    route, body = job["input"].get("openai_route"), job["input"].get("openai_input")
    if route == "/v1/stopped":
        yield {"stopped": stopped}
        return
    if not body:
        yield {"object": "list", "data": [{"id": MODEL, "object": "model", "created": 1, "owned_by": "the-test"}]}
        return
    if body.get("model", MODEL) != MODEL:
        yield vllm_error(404, f"The model `{body['model']}` does not exist: it's gone.")
        return
    prompt = prompt_of(body)
    words = [word + " " for word in prompt.split(" ")]
    if not body.get("stream"):
        yield whole(route, "".join(words))
        return
    if prompt == "crash":
        yield event(part(route, "polly "))
        raise RuntimeError("out of parrots")
    for piece in pieces(route, words):
        yield piece
        if prompt == "sleep":
            await asyncio.sleep(3600)


async def handler(job):
    try:
        async for piece in answer(job):
            yield piece
    except (asyncio.CancelledError, GeneratorExit):
        stopped.append(job["id"])
        raise


async def embed(job):
    route, body = job["input"]["openai_route"], job["input"].get("openai_input")
    if route != "/v1/embeddings":
        return {"object": "error", "message": f"Invalid OpenAI Route: {route}", "type": "invalid_request_error", "param": None, "code": 400}
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    data = [{"object": "embedding", "index": index, "embedding": [float(len(text)), 0.5]} for index, text in enumerate(texts)]
    return {"object": "list", "data": data, "model": body["model"], "usage": {"prompt_tokens": 1, "total_tokens": 1}}


if KIND == "embeddings":
    runpod.serverless.start({"handler": embed})
else:
    runpod.serverless.start({"handler": handler, "concurrency_modifier": lambda _current: 30, "return_aggregate_stream": True})
