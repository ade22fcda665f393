"""client.py PER_SECOND LATENCIES JOBS: prints {"latenciesMs": […], "perSecond": …} of the task in app.py."""

import json
import sys
import time

from app import noop

TIMEOUT_S = 60


def round_trip() -> float:
    begun = time.perf_counter()
    noop.delay().get(timeout=TIMEOUT_S)
    return (time.perf_counter() - begun) * 1000


def latencies(per_second: int, count: int) -> list[float]:
    taken = []
    begun = time.perf_counter()
    for index in range(count):
        time.sleep(max(0.0, begun + index / per_second - time.perf_counter()))
        taken.append(round_trip())
    return taken


def jobs_per_second(count: int) -> float:
    begun = time.perf_counter()
    for result in [noop.delay() for _ in range(count)]:
        result.get(timeout=TIMEOUT_S)
    return count / (time.perf_counter() - begun)


per_second, latency_count, job_count = (int(argument) for argument in sys.argv[1:])
latencies(per_second, 50)
print(json.dumps({"latenciesMs": latencies(per_second, latency_count), "perSecond": jobs_per_second(job_count)}))
