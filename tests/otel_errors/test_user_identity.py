"""The user's id leaves the process by name, as a pseudonym, or not at all."""

from __future__ import annotations

import hmac
import logging

import pytest

import otel_errors
from otel_errors import config
from tests.otel_errors.conftest import Run
from tests.otel_errors.in_memory import Start
from tests.otel_errors.receiver import Receiver

KEY = "correct horse battery staple"
HASH = hmac.new(KEY.encode(), b"u-17", "sha256").hexdigest()[:16]


@pytest.mark.parametrize(
    ("environment", "send_user", "problem"),
    [
        ({}, False, None),
        ({"OTEL_ERRORS_SEND_USER": "true"}, True, None),
        ({"OTEL_ERRORS_USER_KEY": KEY}, "pseudonym", None),
        ({"OTEL_ERRORS_USER_KEY": KEY, "OTEL_ERRORS_SEND_USER": "Pseudonym"}, "pseudonym", None),
        ({"OTEL_ERRORS_USER_KEY": KEY, "OTEL_ERRORS_SEND_USER": "false"}, False, None),
        ({"OTEL_ERRORS_USER_KEY": KEY, "OTEL_ERRORS_SEND_USER": "true"}, True, None),
        (
            {"OTEL_ERRORS_SEND_USER": "pseudonym"},
            False,
            "OTEL_ERRORS_SEND_USER: 'pseudonym': OTEL_ERRORS_USER_KEY is needed for it; users are not sent",
        ),
        (
            {"OTEL_ERRORS_USER_KEY": "hunter2"},
            False,
            "OTEL_ERRORS_USER_KEY: 7 characters: at least 16 characters are needed; none is used",
        ),
        (
            {"OTEL_ERRORS_SEND_USER": "maybe"},
            False,
            "OTEL_ERRORS_SEND_USER: 'maybe': true, false or pseudonym is needed; false is used",
        ),
    ],
)
def test_settings(environment: dict[str, str], send_user: object, problem: str | None) -> None:
    settings, problems = config.load({}, environment)
    assert settings.send_user == send_user
    assert problems == ([] if problem is None else [problem])
    assert "hunter2" not in repr(settings)
    assert KEY not in repr(settings)


def test_a_pseudonym_on_every_carrier_and_the_id_on_none(start: Start) -> None:
    telemetry = start("logs/dup", user_key=KEY)
    with otel_errors.scope(), telemetry.tracer.start_as_current_span("s"):
        otel_errors.set_user("u-17")
        otel_errors.capture_exception(ValueError("x"))
        otel_errors.capture_message("y")
        try:
            raise KeyError("k")
        except KeyError:
            logging.getLogger("shop").exception("z")
    sent = [attributes for _, attributes in telemetry.events] + [dict(one.attributes) for one in telemetry.records]
    assert len(sent) == 5
    for attributes in sent:
        assert attributes["user.hash"] == HASH
        assert "user.id" not in attributes
        assert "u-17" not in str(attributes)


def test_without_a_user_there_is_none(start: Start) -> None:
    telemetry = start(user_key=KEY)
    with otel_errors.scope():
        otel_errors.set_user(None)
        otel_errors.capture_exception(ValueError("x"))
    (record,) = telemetry.records
    assert not {"user.hash", "user.id"} & record.attributes.keys()


def test_threads_tasks_and_executors_have_their_own_users(run: Run, receiver: Receiver) -> None:
    done = run(
        """
        import asyncio, contextvars, threading
        from concurrent.futures import ThreadPoolExecutor
        import otel_errors

        def work(user, name):
            otel_errors.set_user(user)
            otel_errors.capture_exception(ValueError(name))

        def fail():
            otel_errors.set_user("u-17")
            raise ValueError("thread's end")

        async def task(user, name):
            otel_errors.set_user(user)
            await asyncio.sleep(0)
            await asyncio.to_thread(otel_errors.capture_exception, ValueError(name))

        async def main():
            await asyncio.gather(task("u-17", "task"), task("other", "other task"))
            otel_errors.capture_exception(ValueError("nobody"))

        with ThreadPoolExecutor(2) as pool:
            pool.submit(work, "other", "other thread").result()
            pool.submit(contextvars.copy_context().run, work, "u-17", "executor").result()
        asyncio.run(main())
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
        """,
        OTEL_ERRORS_USER_KEY=KEY,
    )
    assert done.code == 0, done.err
    found = {
        record.attributes["exception.message"]: {
            name: value for name, value in record.attributes.items() if name.startswith("user.")
        }
        for record in receiver.errors
    }
    assert [found.pop(name) for name in ("task", "executor", "thread's end")] == [{"user.hash": HASH}] * 3
    assert found.pop("nobody") == {}
    assert found["other task"] == found["other thread"] != {"user.hash": HASH}
    assert len(found) == 2
