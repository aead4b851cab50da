"""A prefork worker over a broker of files; run as a script, it sends the tasks and waits until the last is done."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from celery import Celery
from celery.exceptions import Ignore

sys.path.insert(0, os.path.dirname(__file__))
from failing import fail

home = Path(os.environ["CELERY_HOME"])
for folder in ("messages", "processed", "results", "control"):
    (home / folder).mkdir(exist_ok=True)
app = Celery("celery_app", broker="filesystem://", backend=f"file://{home}/results")
app.conf.update(
    broker_transport_options={
        "data_folder_in": str(home / "messages"),
        "data_folder_out": str(home / "messages"),
        "processed_folder": str(home / "processed"),
        "control_folder": str(home / "control"),
        "polling_interval": 0.05,
    },
    worker_prefetch_multiplier=1,
)


class Expected(Exception):
    pass


@app.task
def failing():
    fail("Celery, task fails")


@app.task(bind=True, max_retries=2, default_retry_delay=0)
def retrying(self):
    try:
        raise LookupError("Celery, fails after retries")
    except LookupError as error:
        raise self.retry(exc=error, countdown=0) from None


@app.task(bind=True, max_retries=2)
def recovering(self):
    if self.request.retries == 0:
        raise self.retry(exc=LookupError("retry that works"), countdown=0)
    return "recovered"


@app.task(throws=(Expected,))
def expected():
    raise Expected("throws")


@app.task
def ignoring():
    raise Ignore


if __name__ == "__main__":
    from celery_app import expected, failing, ignoring, recovering, retrying

    results = [task.delay() for task in (failing, retrying, recovering, expected)]
    ignoring.delay()
    deadline = time.monotonic() + 50
    while not all(result.ready() for result in results) and time.monotonic() < deadline:
        time.sleep(0.05)
    print([result.state for result in results])
