"""Calls a load-balanced endpoint with the clients that users have: `lb_clients.py BY_PATH BY_HOST`, two addresses of the endpoint without a path."""

import asyncio
import json
import os
import socket
import sys

import aiohttp
import httpx
import requests
import websockets

BASES = {"path": sys.argv[1], "host": sys.argv[2]}
HEADERS = {"Authorization": "Bearer " + os.environ["RUNPOD_API_KEY"]}
WANTED = {"x": 21}

resolve = socket.getaddrinfo


def resolve_localhost(host, *more, **options):
    """As systemd's resolver does. Debian's own knows no names below localhost."""
    return resolve("127.0.0.1" if str(host).endswith(".localhost") else host, *more, **options)


socket.getaddrinfo = resolve_localhost


async def with_aiohttp(base):
    # Its own resolver asks DNS servers alone.
    connector = aiohttp.TCPConnector(resolver=aiohttp.ThreadedResolver())
    async with aiohttp.ClientSession(headers=HEADERS, connector=connector) as session:
        async with session.post(base + "/double", json=WANTED) as response:
            doubled = await response.json()
        async with session.ws_connect(base + "/talk") as talk:
            await talk.send_str("hello")
            heard = await talk.receive_str()
        return [doubled, heard]


async def with_websockets(base):
    url = "ws" + base.removeprefix("http") + "/talk"
    key = os.environ["RUNPOD_API_KEY"]
    async with websockets.connect(url, additional_headers=HEADERS) as talk:
        await talk.send("hello")
        by_header = await talk.recv()
    async with websockets.connect(url, subprotocols=["runyard", "runyard.bearer." + key]) as talk:
        await talk.send("hello")
        return [by_header, await talk.recv(), talk.subprotocol]


def stream(base):
    """The rest comes only after the client has answered the first event, so nothing on the way may hold it back."""
    with httpx.stream("GET", base + "/gated", headers=HEADERS, timeout=60) as response:
        lines = (line for line in response.iter_lines() if line)
        first = next(lines)
        httpx.post(base + "/open", headers=HEADERS, timeout=60)
        return [first, *lines]


def call_all(base):
    return {
        "httpx": httpx.post(base + "/double", json=WANTED, headers=HEADERS, timeout=300).json(),
        "requests": requests.post(base + "/double", json=WANTED, headers=HEADERS, timeout=300).json(),
        "aiohttp": asyncio.run(with_aiohttp(base)),
        "websockets": asyncio.run(with_websockets(base)),
        "stream": stream(base),
    }


print("@@ " + json.dumps({way: call_all(base) for way, base in BASES.items()}))
