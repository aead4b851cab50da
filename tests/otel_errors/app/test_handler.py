from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry._logs import SeverityNumber
from starlette.exceptions import HTTPException

import otel_errors
from otel_errors.app_errors import (
    BaseAppError,
    ConflictError,
    InternalServerError,
    ResourceNotFoundError,
    ServiceUnavailableError,
    ValidationError,
)
from otel_errors.handler import ErrorHandler
from otel_errors.messages import Messages
from otel_errors.references import parse_reference, reference_of
from otel_errors.seen import seen
from tests.otel_errors.in_memory import Start

SECRET = "hunter2-internal"


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def kept() -> Iterator[Kept]:
    logger, handler = logging.getLogger("tests.handled"), Kept()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


@pytest.fixture(autouse=True)
def _nothing_stays_remembered() -> Iterator[None]:
    yield
    seen.clear()


@pytest.fixture
def handler(kept: Kept) -> ErrorHandler:
    return ErrorHandler("tests.handled")


def name_of(value: object) -> str:
    return type(value).__name__


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


def test_an_unknown_exception_gets_the_generic_message_and_keeps_its_text_for_developers(
    handler: ErrorHandler, kept: Kept
) -> None:
    handled = handler.handle(raised(KeyError(SECRET)), {"order": 7, "api_key": SECRET, "cart": {"token": SECRET}})
    assert (handled.status, handled.code, handled.first) == (500, "INTERNAL-ERROR", True)
    assert SECRET not in str(handled) + str(handled.problem()) + str(handled.error.to_dict())
    assert str(handled) == f"{handled.message} Reference: {handled.reference}"
    assert parse_reference(handled.reference) == reference_of(handled.event_id) == handled.problem()["reference"]
    [record] = kept.records
    fields: dict[str, Any] = record.__dict__
    assert record.levelno == logging.ERROR
    assert SECRET in record.getMessage()
    assert handled.reference in record.getMessage()
    assert (
        fields["otel_errors.event_id"],
        fields["otel_errors.support_reference"],
        fields["otel_errors.error_code"],
    ) == (
        handled.event_id,
        handled.reference,
        "INTERNAL-ERROR",
    )
    assert (fields["context.order"], fields["context.api_key"]) == (7, "[redacted]")
    assert fields["context.cart"] == '{"token": "[redacted]"}'
    assert record.funcName == "test_an_unknown_exception_gets_the_generic_message_and_keeps_its_text_for_developers"


@settings(
    deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.text(min_size=3).filter(lambda text: text.strip() == text and len(set(text)) > 2))
def test_no_text_of_an_unknown_exception_reaches_the_user(text: str) -> None:
    marked = f"\x1b[2J{SECRET}\n{text}{SECRET}"
    logger = logging.getLogger("tests.unheard")
    logger.propagate, logger.disabled = False, True
    handled = ErrorHandler(logger).handle(ValueError(marked), {text: marked})
    assert SECRET not in str(handled) + str(handled.problem())


def test_the_text_of_an_error_is_one_log_line(handler: ErrorHandler, kept: Kept) -> None:
    handler.handle_exception(ValueError("a\r\nCRITICAL root forged\x1b[2J\u2028b"))
    assert kept.records[0].getMessage().splitlines()[0] == kept.records[0].getMessage()
    assert "\x1b" not in kept.records[0].getMessage()


@pytest.mark.parametrize(
    ("error", "level", "with_reference"),
    [
        (ValidationError("bad"), logging.WARNING, False),
        (InternalServerError("off"), logging.CRITICAL, True),
        (BaseAppError("plain"), logging.ERROR, True),
        (ConflictError("old", is_critical=True), logging.CRITICAL, True),
        (OSError("disk"), logging.ERROR, True),
    ],
    ids=name_of,
)
def test_level_and_reference_follow_the_error(
    handler: ErrorHandler, kept: Kept, error: Exception, level: int, with_reference: bool
) -> None:
    text = handler.handle_exception(error)
    assert kept.records[0].levelno == level
    assert ("Reference: " in text) is with_reference


def test_a_level_may_be_given_and_a_bad_one_is_named(
    handler: ErrorHandler, kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    handler.handle_exception(ValueError("a"), log_level="info")
    handler.handle_exception(ValueError("b"), log_level=logging.DEBUG)
    assert kept.records[0].levelno == logging.INFO
    assert len(kept.records) == 1  # DEBUG is not on
    bad: Any = "loud"
    handler.handle_exception(ValueError("c"), log_level=bad)
    assert kept.records[1].levelno == logging.ERROR
    assert "log_level: 'loud'" in capsys.readouterr().err


def test_one_exception_is_logged_once_wherever_it_is_handled(handler: ErrorHandler, kept: Kept) -> None:
    error = raised(ConflictError("v3"))
    first, second = handler.handle(error), ErrorHandler("tests.handled").handle(error, language="de")
    assert (first.first, second.first, len(kept.records)) == (True, False, 1)
    assert first.reference == second.reference
    assert second.message == Messages().text("STATE-CONFLICT", 409, "de")
    assert handler.handle(ConflictError("v3")).first


def test_it_is_reported_once_with_the_same_reference_and_critical_is_fatal(
    start: Start, handler: ErrorHandler, kept: Kept
) -> None:
    telemetry = start()
    with telemetry.tracer.start_as_current_span("charge"):
        on_span = handler.handle(raised(ServiceUnavailableError("down", service_name="bank")), {"order": 7})
    [(_, attributes)] = telemetry.events
    assert attributes["otel_errors.support_reference"] == on_span.reference
    assert attributes["otel_errors.severity"] == "critical"
    assert attributes["otel_errors.handled"] is True
    assert attributes["otel_errors.tag.order"] == "7"
    # What the logging instrumentation exports is the same event.
    assert {record.attributes["otel_errors.event_id"] for record in telemetry.records} == {on_span.event_id}
    telemetry.logs.clear()
    alone = handler.handle(raised(KeyError("x")), log_level="CRITICAL")
    own = [record for record in telemetry.records if record.event_name == "exception"]
    assert [(record.severity_number, record.attributes["otel_errors.event_id"]) for record in own] == [
        (SeverityNumber.FATAL, alone.event_id)
    ]


def test_a_critical_error_that_a_hook_sees_is_fatal_in_its_log_record(start: Start) -> None:
    telemetry = start("logs")
    logging.getLogger().removeHandler(telemetry.handler)
    with (
        pytest.raises(InternalServerError),
        telemetry.tracer.start_as_current_span("work"),
    ):
        raise InternalServerError("ledger is off")
    with pytest.raises(ValidationError), telemetry.tracer.start_as_current_span("work"):
        raise ValidationError("bad")
    assert [(record.severity_number, record.attributes["otel_errors.severity"]) for record in telemetry.records] == [
        (SeverityNumber.FATAL, "critical"),
        (SeverityNumber.WARN, "low"),
    ]


def test_language_and_messages(kept: Kept) -> None:
    own = Messages(
        overrides={"RESOURCE-NOT-FOUND": {"en": "There is no such order.", "de": "Den Auftrag gibt es nicht."}}
    )
    handler = ErrorHandler("tests.handled", messages=own, language="de")
    assert str(handler.handle(ResourceNotFoundError("no row"))) == "Den Auftrag gibt es nicht."
    assert str(handler.handle(ResourceNotFoundError("no row"), language="en-GB,en;q=0.9")) == "There is no such order."
    assert str(handler.handle(ResourceNotFoundError("no row", user_message="Gone fishing."))) == "Gone fishing."
    assert "Referenz: " in handler.handle_exception(KeyError("x"))


class Unread(BaseAppError):
    def __init__(self) -> None:
        pass  # never calls the base


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class Resisting(dict[str, Any]):
    def items(self) -> Any:
        raise RuntimeError("no")


@pytest.mark.parametrize("error", [Unread(), Mute(), "a text", None, KeyboardInterrupt()], ids=name_of)
def test_nothing_that_is_given_makes_it_raise(handler: ErrorHandler, kept: Kept, error: Any) -> None:
    handled = handler.handle(error, Resisting(a=1), language="\x00;q=x")
    assert handled.status == 500
    assert handled.problem()["status"] == 500
    assert len(kept.records) == 1
    odd: Any = [1, 2]
    assert handler.handle(ValueError("x"), odd).first


def test_a_log_handler_that_raises_changes_nothing(handler: ErrorHandler) -> None:
    def broken(record: logging.LogRecord) -> bool:
        raise RuntimeError("filter")

    logger = logging.getLogger("tests.handled")
    logger.addFilter(broken)
    try:
        assert handler.handle(ValueError("x")).status == 500
    finally:
        logger.removeFilter(broken)


def test_threads_that_handle_one_exception_log_it_once(handler: ErrorHandler, kept: Kept) -> None:
    error = raised(ConflictError("v3"))
    threads = [threading.Thread(target=handler.handle, args=(error,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(kept.records) == 1


# --- catch ---


def test_functions_and_blocks(handler: ErrorHandler, kept: Kept) -> None:
    @handler.catch(default=-1, context={"job": "stock"})
    def stock(sku: str) -> int:
        """In stock."""
        return {"A-1": 5}[sku]

    assert (stock("A-1"), stock("B-2"), stock.__doc__) == (5, -1, "In stock.")
    assert kept.records[0].__dict__["context.job"] == "stock"
    assert kept.records[0].funcName == "test_functions_and_blocks"
    with handler.catch() as caught:
        raise KeyError("x")
    assert caught.handled is not None
    assert caught.handled.status == 500
    with pytest.raises(KeyError), handler.catch(reraise=True) as caught:
        raise KeyError("x")
    assert caught.handled is not None
    with pytest.raises(ValueError, match="other"), handler.catch(only=KeyError):
        raise ValueError("other")
    assert len(kept.records) == 3


@pytest.mark.parametrize(
    "error", [HTTPException(404), SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()], ids=name_of
)
def test_control_flow_and_answers_of_frameworks_pass(handler: ErrorHandler, kept: Kept, error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, handler.catch(only=BaseException):
        raise error
    assert caught.value is error
    assert not kept.records


def test_nested_reraises_are_logged_once(handler: ErrorHandler, kept: Kept) -> None:
    @handler.catch(reraise=True)
    def inner() -> None:
        raise ConflictError("v3")

    @handler.catch(reraise=True)
    def outer() -> None:
        inner()

    with pytest.raises(ConflictError):
        outer()
    assert len(kept.records) == 1


def test_a_recursive_function_and_one_block_object_entered_twice(handler: ErrorHandler, kept: Kept) -> None:
    @handler.catch(default=0)
    def down(depth: int) -> int:
        return 1 // 0 if depth == 0 else 1 + down(depth - 1)

    assert down(3) == 3
    block = handler.catch()
    with block as outer:
        with block as inner:
            raise KeyError("x")
        assert inner.handled is not None
    assert outer.handled is None


async def test_coroutines(handler: ErrorHandler, kept: Kept) -> None:
    @handler.catch(default="nothing")
    async def fetch(fail: bool) -> str:
        await asyncio.sleep(0)
        if fail:
            raise OSError("refused")
        return "page"

    assert asyncio.iscoroutinefunction(fetch)
    assert await asyncio.gather(fetch(False), fetch(True)) == ["page", "nothing"]
    task = asyncio.ensure_future(fetch(False))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(kept.records) == 1


def test_generators_pass_what_is_sent_thrown_and_returned(handler: ErrorHandler, kept: Kept) -> None:
    closed = []

    @handler.catch(default="ended")
    def numbers() -> Generator[int, int, str]:
        try:
            got = 0
            while got < 10:
                try:
                    got = yield got
                except KeyError:
                    got = 5
            if got == 99:
                raise ValueError("99")
            return "whole"
        finally:
            closed.append(True)

    one = numbers()
    assert (next(one), one.send(3), one.throw(KeyError("x"))) == (0, 3, 5)
    with pytest.raises(StopIteration) as ended:
        one.send(10)
    assert ended.value.value == "whole"
    two = numbers()
    next(two)
    with pytest.raises(StopIteration) as ended:
        two.send(99)
    assert ended.value.value == "ended"
    three = numbers()
    next(three)
    three.close()
    assert (len(closed), len(kept.records)) == (3, 1)


async def test_asynchronous_generators(handler: ErrorHandler, kept: Kept) -> None:
    closed = []

    @handler.catch()
    async def echo(times: int) -> AsyncGenerator[object, object]:
        got: object = "ready"
        async with AsyncExitStack() as stack:
            stack.callback(closed.append, True)
            for _ in range(times):
                try:
                    got = yield got
                except KeyError as error:
                    got = error

    one, thrown = echo(3), KeyError("x")
    assert [await one.__anext__(), await one.asend(3), await one.athrow(thrown)] == ["ready", 3, thrown]
    with pytest.raises(StopAsyncIteration):
        await one.asend(10)
    assert not kept.records
    two = echo(3)
    await two.__anext__()
    with pytest.raises(StopAsyncIteration):
        await two.athrow(ValueError("99"))
    three = echo(3)
    await three.__anext__()
    await three.aclose()
    assert (len(closed), len(kept.records)) == (3, 1)


def test_methods_and_what_is_not_a_function(handler: ErrorHandler) -> None:
    class Job:
        @handler.catch(default="no")
        def run(self) -> str:
            raise KeyError("x")

    class Async:
        async def __call__(self) -> None:
            raise KeyError("x")

    assert Job().run() == "no"
    assert asyncio.run(handler.catch(default=3)(Async())()) == 3
    wrong: Any = 5
    with pytest.raises(TypeError, match="catch: 5: a function is needed"):
        handler.catch()(wrong)


# --- services that fail ---


def test_a_service_that_fails_gets_a_retry_hint(handler: ErrorHandler) -> None:
    for failures in range(1, 6):
        hint = handler.handle(ServiceUnavailableError("down", service_name="bank", retry_after=30)).retry
        assert hint is not None
        assert (hint.service_name, hint.retry_after, hint.failures, hint.open_circuit) == (
            "bank",
            30,
            failures,
            failures == 5,
        )
    error = ServiceUnavailableError("down", service_name="stock")
    first, again = handler.handle(error), handler.handle(error)
    assert first.retry is not None
    assert 0.5 <= first.retry.retry_after <= 1
    assert again.retry is None or again.retry.failures == 1
    assert handler.handle(ConflictError("v3")).retry is None
    handler.retry_hints.succeeded("bank")
    assert handler.retry_hints.hint("bank") is None


def test_nothing_is_needed_but_the_library() -> None:
    assert otel_errors.__version__  # without an SDK, a logger or a setting
    logger = logging.getLogger("tests.unheard")
    logger.disabled = True
    assert "Reference: " in ErrorHandler(logger).handle_exception(KeyError("x"))


@pytest.mark.parametrize("language", [b"de", 7, ["de"], object()])
def test_a_language_that_is_no_text_is_the_default(handler: ErrorHandler, language: Any) -> None:
    assert handler.handle(KeyError("x"), language=language).language == "en"


@pytest.mark.parametrize("level", [pytest.param(10**5000, id="huge"), -1, 0, 1001, True, b"ERROR", [40]])
def test_a_level_that_is_none_leaves_it_to_the_error(handler: ErrorHandler, kept: Kept, level: Any) -> None:
    handler.handle(KeyError("x"), log_level=level)
    assert [record.levelno for record in kept.records] == [logging.ERROR]
