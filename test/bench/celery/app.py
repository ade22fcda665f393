"""A Celery application with one task that does nothing."""

import os

from celery import Celery

app = Celery("bench", broker=os.environ["BENCH_REDIS_URL"], backend=os.environ["BENCH_REDIS_URL"])


@app.task
def noop() -> None:
    """Nothing."""
