"""The unmodified OpenAI client against an endpoint: models, chat, completions, streams, errors, and a stream that is closed early."""

import json
import sys

import openai

base, key = sys.argv[1:3]
client = openai.OpenAI(base_url=base, api_key=key, max_retries=0, timeout=60)


def said(prompt, **more):
    return {"model": "parrot", "messages": [{"role": "user", "content": prompt}], **more}


def error_of(call):
    try:
        call()
    except openai.APIError as error:
        return {"type": type(error).__name__, "status": getattr(error, "status_code", None), "body": error.body, "text": str(error)}
    return None


found = {"models": [model.id for model in client.models.list()]}

whole = client.chat.completions.create(**said("polly wants a cracker"))
found["whole"] = whole.choices[0].message.content
found["requestId"] = whole._request_id

with client.chat.completions.create(**said("polly wants a cracker and more of them", stream=True)) as stream:
    found["streamed"] = [chunk.choices[0].delta.content for chunk in stream]
found["helper"] = "".join(
    event.delta for event in client.chat.completions.stream(**said("hello there")).__enter__() if event.type == "content.delta"
)
found["completion"] = client.completions.create(model="parrot", prompt="one two").choices[0].text
found["completionStreamed"] = "".join(
    chunk.choices[0].text for chunk in client.completions.create(model="parrot", prompt="one two", stream=True)
)

found["noModel"] = error_of(lambda: client.chat.completions.create(**{**said("x"), "model": "dodo"}))
found["noModelStreamed"] = error_of(lambda: client.chat.completions.create(**{**said("x", stream=True), "model": "dodo"}))
found["crash"] = error_of(lambda: list(client.chat.completions.create(**said("crash", stream=True))))
wrong = openai.OpenAI(base_url=base, api_key="wrong", max_retries=0)
found["wrongKey"] = error_of(lambda: wrong.models.list())

left = client.chat.completions.create(**said("sleep", stream=True))
found["left"] = left.response.headers["x-request-id"]
left.close()

print("@@ " + json.dumps(found))
