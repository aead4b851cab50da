"""A prefork worker over a broker of files; run as a script, it sends the tasks and waits until the last is done."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from celery import Celery
from celery.exceptions import Ignore, Reject

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
    worker_lost_wait=1,
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


class Listed(Exception):
    pass


@app.task(autoretry_for=(LookupError,), max_retries=1, retry_backoff=False, default_retry_delay=0)
def autoretrying():
    raise LookupError("Celery, autoretry_for gives up")


@app.task
def listed():
    raise Listed("Celery, of a class of its own")


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


@app.task
def rejecting():
    raise Reject("rejected", requeue=False)


if __name__ == "__main__":
    import celery_app  # not this module, whose name is __main__

    names = ("failing", "retrying", "autoretrying", "listed", "recovering", "expected")
    results = [getattr(celery_app, name).delay() for name in names]
    celery_app.ignoring.delay()
    celery_app.rejecting.delay()
    deadline = time.monotonic() + 100

    def ready(result):
        try:
            return result.ready()
        except ValueError:  # half of its file is written
            return False

    while not all(map(ready, results)) and time.monotonic() < deadline:
        time.sleep(0.05)
    print([result.state for result in results])
