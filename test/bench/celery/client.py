"""client.py LATENCIES JOBS: prints {"latenciesMs": […], "perSecond": …} of the task in app.py."""

import json
import sys
import time

from app import noop

TIMEOUT_S = 60


def round_trip() -> float:
    begun = time.perf_counter()
    noop.delay().get(timeout=TIMEOUT_S)
    return (time.perf_counter() - begun) * 1000


def jobs_per_second(count: int) -> float:
    begun = time.perf_counter()
    for result in [noop.delay() for _ in range(count)]:
        result.get(timeout=TIMEOUT_S)
    return count / (time.perf_counter() - begun)


latency_count, job_count = (int(argument) for argument in sys.argv[1:])
for _ in range(50):
    round_trip()
print(json.dumps({"latenciesMs": [round_trip() for _ in range(latency_count)], "perSecond": jobs_per_second(job_count)}))
