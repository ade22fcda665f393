"""Calls a load-balanced endpoint with the HTTP clients that users have: `lb_clients.py URL`, the address of the endpoint without a path."""

import asyncio
import json
import os
import sys

import aiohttp
import httpx
import requests

BASE = sys.argv[1]
HEADERS = {"Authorization": "Bearer " + os.environ["RUNPOD_API_KEY"]}


async def with_aiohttp():
    async with aiohttp.ClientSession(headers=HEADERS) as session:
        async with session.post(BASE + "/double", json={"x": 21}) as response:
            return await response.json()


def main():
    found = {
        "httpx": httpx.post(BASE + "/double", json={"x": 21}, headers=HEADERS, timeout=300).json(),
        "requests": requests.post(BASE + "/double", json={"x": 21}, headers=HEADERS, timeout=300).json(),
        "aiohttp": asyncio.run(with_aiohttp()),
    }
    with httpx.stream("GET", BASE + "/stream", headers=HEADERS, timeout=60) as response:
        found["stream"] = [line for line in response.iter_lines() if line]
    print("@@ " + json.dumps(found))


main()
