"""Settings, scope, what is not an error, the choice of carriers, import weight."""

from __future__ import annotations

import asyncio
import contextvars
import subprocess
import sys
import threading
from typing import Any

import pytest
from fastapi import HTTPException as FastapiHttpException
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException, WebSocketException

import otel_errors
from collector_processor.settings import LIBRARY_NAMES
from otel_errors import config
from otel_errors.not_errors import is_not_an_error
from otel_errors.report import Carriers, carriers
from otel_errors.scope import EMPTY, MAX_TAGS, current_scope
from otel_errors.seen import Sighting


def test_the_service_knows_every_name_of_the_library() -> None:
    assert config.NAMES <= LIBRARY_NAMES
    assert {"OTEL_ERRORS_CONFIG"} >= LIBRARY_NAMES - config.NAMES  # of the service's own command line


@pytest.mark.parametrize(
    ("value", "mode"),
    [
        ("", config.SPAN_EVENTS),
        ("logs", config.LOGS),
        ("logs/dup", config.LOGS_DUP),
        ("logs,logs/dup", config.LOGS_DUP),
        (" logs , x", config.LOGS),
        ("spans", config.SPAN_EVENTS),
        ("log", config.SPAN_EVENTS),
    ],
)
def test_signal_mode(value: str, mode: config.SignalMode) -> None:
    assert config.signal_mode(value) == mode


def test_settings_and_bad_values() -> None:
    settings, problems = config.load({}, {})
    assert settings == config.Settings()
    assert problems == []
    settings, problems = config.load(
        {},
        {
            "OTEL_ERRORS_ENABLED": "maybe",
            "OTEL_ERRORS_MAX_STACKTRACE_BYTES": "12",
            "OTEL_ERRORS_SEND_USER": "True",
            "OTEL_ERRORS_BEFORE_SEND": "nowhere",
            "OTEL_ERRORS_NOT_ERRORS": "a b",
            "OTEL_ERRORS_SOURCE_LINES": "99",
            "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "500",
            "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT": "bad",
        },
    )
    assert settings == config.Settings(send_user=True, sdk_value_characters=500)
    assert problems == [
        "OTEL_ERRORS_ENABLED: 'maybe': true or false is needed; true is used",
        "OTEL_ERRORS_MAX_STACKTRACE_BYTES: '12': a whole number from 1024 to 1048576 is needed; 65536 is used",
        "OTEL_ERRORS_BEFORE_SEND: 'nowhere': a function, or module:function, is needed; none is used",
        "OTEL_ERRORS_NOT_ERRORS: 'a b': 'a b' is not the name of a class, such as shop.errors.OutOfStock; none is used",
        "OTEL_ERRORS_SOURCE_LINES: '99': a whole number from 0 to 20 is needed; 0 is used",
    ]
    settings, problems = config.load({"enabled": False, "max_stacktrace_bytes": 2048}, {"OTEL_ERRORS_ENABLED": "true"})
    assert (settings.enabled, settings.max_stacktrace_bytes, problems) == (False, 2048, [])


@given(
    st.dictionaries(st.sampled_from(sorted(config.NAMES) + list(config.SDK_VALUE_LENGTH_LIMITS)), st.text(max_size=8))
)
def test_no_value_raises(environment: dict[str, str]) -> None:
    config.load({}, environment)


def _lookalike(module: str, name: str, **fields: Any) -> Exception:
    """The class of a framework that is not installed here, by module and name, which is all that is looked at."""
    return type(name, (Exception,), {"__module__": module, **fields})("x")  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (KeyboardInterrupt(), True),
        (SystemExit(1), True),
        (GeneratorExit(), True),
        (StopIteration(), True),
        (StopAsyncIteration(), True),
        (asyncio.CancelledError(), True),
        (HTTPException(404), True),
        (HTTPException(503), False),
        (FastapiHttpException(422), True),
        (FastapiHttpException(500), False),
        (WebSocketException(1008), True),
        (type("Teapot", (HTTPException,), {})(418), True),
        (_lookalike("werkzeug.exceptions", "HTTPException", code=404), True),
        (_lookalike("werkzeug.exceptions", "HTTPException", code=500), False),
        (_lookalike("werkzeug.exceptions", "HTTPException", code=None), False),
        (_lookalike("django.http.response", "Http404"), True),
        (_lookalike("django.core.exceptions", "PermissionDenied"), True),
        (_lookalike("shop", "PermissionDenied"), False),
        (_lookalike("shop", "HTTPException", status_code=404), False),
        (TimeoutError(), False),
        (ValueError("x"), False),
    ],
)
def test_what_is_not_an_error(error: BaseException, expected: bool) -> None:
    assert is_not_an_error(error) is expected


@pytest.mark.skipif(sys.version_info < (3, 11), reason="groups came with 3.11")
def test_a_group_is_not_an_error_when_no_member_is() -> None:
    group = BaseExceptionGroup  # noqa: F821
    assert is_not_an_error(group("g", [asyncio.CancelledError(), group("h", [HTTPException(404)])]))
    assert not is_not_an_error(group("g", [asyncio.CancelledError(), ValueError("x")]))


def test_scope_ends_and_nests() -> None:
    def body() -> None:
        otel_errors.set_user("outer")
        with otel_errors.scope():
            otel_errors.set_user("inner")
            otel_errors.set_tag("a", "1")
            assert (current_scope().user, current_scope().tags) == ("inner", {"a": "1"})
        assert (current_scope().user, current_scope().tags) == ("outer", {})

    contextvars.copy_context().run(body)
    assert current_scope() == EMPTY


async def test_tasks_do_not_see_each_other() -> None:
    seen: dict[str, str] = {}

    async def request(user: str) -> None:
        otel_errors.set_user(user)
        await asyncio.sleep(0)
        await asyncio.create_task(nested(user))

    async def nested(user: str) -> None:
        seen[user] = current_scope().user

    await asyncio.gather(*(asyncio.create_task(request(f"u{number}")) for number in range(5)))
    assert seen == {f"u{number}": f"u{number}" for number in range(5)}
    assert current_scope() == EMPTY


def test_a_thread_starts_empty_unless_given_the_context() -> None:
    users: list[str] = []

    def body() -> None:
        otel_errors.set_user("mine")
        context = contextvars.copy_context()
        for target in (
            lambda: users.append(current_scope().user),
            lambda: context.run(lambda: users.append(current_scope().user)),
        ):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()

    contextvars.copy_context().run(body)
    # Python's free-threaded builds let threads inherit the context.
    inherits = bool(getattr(sys.flags, "thread_inherit_context", False))
    assert users == ["mine" if inherits else "", "mine"]


def test_tags_are_bounded_and_become_text() -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no")

    def body() -> None:
        for number in range(100):
            otel_errors.set_tag(f"k{number}", "v" * 1000)
        otel_errors.set_tag("k1", 5)  # type: ignore[arg-type]
        otel_errors.set_tag("k2", Broken())  # type: ignore[arg-type]
        otel_errors.set_user(17)  # type: ignore[arg-type]
        tags = current_scope().tags
        assert len(tags) == MAX_TAGS
        assert tags["k1"] == "5"
        assert tags["k2"].startswith("<unprintable")
        assert max(map(len, tags.values())) == 256
        assert current_scope().user == "17"

    contextvars.copy_context().run(body)


@pytest.mark.parametrize(
    ("mode", "recording", "can_log", "expected"),
    [
        (config.SPAN_EVENTS, True, True, Carriers(True, False)),
        (config.SPAN_EVENTS, False, True, Carriers(False, True)),
        (config.SPAN_EVENTS, False, False, Carriers(False, False)),
        (config.LOGS, True, True, Carriers(False, True)),
        (config.LOGS, True, False, Carriers(True, False)),
        (config.LOGS_DUP, True, True, Carriers(True, True)),
        (config.LOGS_DUP, False, True, Carriers(False, True)),
    ],
)
def test_carriers_of_the_first_sighting(
    mode: config.SignalMode, recording: bool, can_log: bool, expected: Carriers
) -> None:
    assert carriers(mode, recording=recording, can_log=can_log) == expected


@given(st.sampled_from([config.SPAN_EVENTS, config.LOGS, config.LOGS_DUP]), st.booleans(), st.booleans(), st.booleans())
def test_nothing_is_lost_while_anything_can_carry_it(
    mode: config.SignalMode, recording: bool, can_log: bool, fatal: bool
) -> None:
    assert any(carriers(mode, recording=recording, can_log=can_log, fatal=fatal)) is (recording or can_log)


MODES = st.sampled_from([config.SPAN_EVENTS, config.LOGS, config.LOGS_DUP])


@given(MODES, st.booleans(), st.booleans())
def test_a_later_sighting_adds_only_what_is_missing(mode: config.SignalMode, on_span: bool, logged: bool) -> None:
    earlier = Sighting("span", False)
    earlier.on_span, earlier.logged = on_span, logged
    more = carriers(mode, recording=True, can_log=True, handled=False, earlier=earlier)
    assert more == Carriers(mode.span_events and not on_span, mode.log_records and not logged)


@given(MODES, st.booleans())
def test_a_later_sighting_that_is_worse_says_so_once(mode: config.SignalMode, handled: bool) -> None:
    earlier = Sighting("logging", True)
    earlier.logged = True
    assert carriers(mode, recording=False, can_log=True, handled=handled, earlier=earlier) == Carriers(
        False, not handled
    )
    assert carriers(mode, recording=False, can_log=True, fatal=True, earlier=earlier) == Carriers(False, True)
    earlier.handled, earlier.fatal = False, True
    assert carriers(mode, recording=False, can_log=True, handled=False, fatal=True, earlier=earlier) == Carriers(
        False, False
    )


def test_importing_the_package_is_light() -> None:
    code = (
        "import sys, otel_errors, otel_errors.semconv\n"
        "names = ('opentelemetry.sdk', 'opentelemetry.instrumentation', 'wrapt', 'asyncio')\n"
        "heavy = [m for m in sys.modules if m.startswith(names)]\n"
        "print(heavy)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
