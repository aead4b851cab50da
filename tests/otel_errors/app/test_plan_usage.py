"""The usage that the library was planned for, as an application under ``opentelemetry-instrument``: configured by the
planned names, errors raised, handled, caught by the decorator and by the middleware, a log file rotated, a critical
error reported."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.otel_errors.conftest import Finished, Run
from tests.otel_errors.receiver import Receiver, Record

APPLICATION = """
    import asyncio, json, threading
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen
    from wsgiref.simple_server import WSGIRequestHandler, make_server

    from opentelemetry import trace
    from otel_errors.app_errors import (
        BaseAppError, InternalServerError, ResourceNotFoundError, ServiceUnavailableError, ValidationError,
    )
    from otel_errors.handler import ErrorHandler
    from otel_errors.logger import setup_logger
    from otel_errors.middleware.wsgi import ErrorMiddleware

    logger = setup_logger("shop")
    handler = ErrorHandler(logger)
    tracer = trace.get_tracer("shop")
    told = {}

    # raised and handled by hand, with context and a level
    def register(email):
        raise ValidationError("no @ in 'ada'", field_errors={"email": "An @ is missing."}, details={"form": "sign-up"})

    try:
        register("ada")
    except BaseAppError as error:
        told["handled"] = handler.handle_exception(error, {"form": "sign-up"}, "WARNING")
        told["dict"] = error.to_dict()
        told["field_errors"] = error.field_errors

    # what nobody foresaw
    try:
        {"A-1": 5}["internal sku"]
    except Exception as error:
        told["unknown"] = handler.handle_exception(error)

    # decorators
    @handler.catch(default=0)
    def stock(sku):
        raise ResourceNotFoundError("no row", resource_id=sku)

    @handler.catch(reraise=True, context={"job": "ledger"})
    async def ledger():
        raise InternalServerError("ledger is off", original_exception=ZeroDivisionError("internal text"))

    with tracer.start_as_current_span("order"):
        told["stock"] = stock("A-1")
    try:
        asyncio.run(ledger())
    except InternalServerError as error:
        told["critical"] = handler.handle_exception(error)

    # middleware, over a real socket
    def web(environ, start_response):
        raise ServiceUnavailableError("10.0.0.7 refused", service_name="payments", retry_after=5)

    class Quiet(WSGIRequestHandler):
        def log_message(self, *arguments):
            pass

    server = make_server("127.0.0.1", 0, ErrorMiddleware(web, handler), handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}/pay"
        urlopen(Request(address, headers={"Accept": "application/json", "Accept-Language": "de"}), timeout=30)
    except HTTPError as answer:
        told["web"] = {
            "status": answer.code, "retry_after": answer.headers["Retry-After"],
            "type": answer.headers["Content-Type"], "body": json.loads(answer.read()),
        }
    server.shutdown()

    for number in range(100):
        logger.info("line %d", number)
    print(json.dumps(told))
"""


@dataclass
class Ran:
    done: Finished
    told: dict[str, Any]
    """What users and callers saw, by the shape of usage."""
    files: list[Path]
    """Of the log, the oldest first."""
    lines: list[dict[str, Any]]
    errors: list[Record]
    """What arrived at the OTLP receiver."""
    order: str
    """The trace id of the span "order"."""

    def line(self, code: str) -> dict[str, Any]:
        (found,) = [line for line in self.lines if line["error_code"] == code]
        return found

    def reported(self, line: dict[str, Any]) -> Record:
        found = [record for record in self.errors if record.event_id == line["event_id"]]
        assert found, line
        return found[0]


@pytest.fixture
def ran(run: Run, receiver: Receiver, tmp_path: Path) -> Ran:
    file = tmp_path / "log" / "shop.jsonl"
    done = run(
        APPLICATION,
        LOG_FILE_PATH=str(file),
        LOG_MAX_BYTES="20000",
        LOG_BACKUP_COUNT="9",
        LOG_LEVEL="INFO",
        APP_ENV="test",
        ENABLE_EXTERNAL_REPORTING="true",
    )
    assert done.code == 0, done.err
    files = sorted(file.parent.iterdir(), reverse=True)
    lines = [json.loads(line) for each in files for line in each.read_text(encoding="utf-8").splitlines()]
    return Ran(done, json.loads(done.out), files, lines, receiver.errors, receiver.span("order").trace_id)


def test_the_planned_usage_works_as_planned(ran: Ran) -> None:
    """One run of the application, shape by shape: a run is most of the time."""
    _raised_and_handled(ran)
    _unforeseen(ran)
    _decorated(ran)
    _through_the_middleware(ran)
    _the_critical_one_is_reported(ran)
    _the_file_is_rotated_and_every_line_is_there(ran)
    _each_error_once(ran)


def _raised_and_handled(ran: Ran) -> None:
    assert "Please" in ran.told["handled"]
    assert ran.told["field_errors"] == {"email": ["An @ is missing."]}
    expected = {"error_code": 400, "is_critical": False, "message": "no @ in 'ada'", "details": {"form": "sign-up"}}
    assert expected.items() <= ran.told["dict"].items()
    line = ran.line("VALIDATION-FAILED")
    assert (line["level"], line["context"], line["environment"]) == ("WARNING", {"form": "sign-up"}, "test")


def _unforeseen(ran: Ran) -> None:
    assert "internal" not in ran.told["unknown"]
    assert re.search(r"Reference: [0-9A-Z]{3}-[0-9A-Z]{3}-[0-9A-Z]{3}$", ran.told["unknown"])
    (line,) = [line for line in ran.lines if line["exception_type"] == "KeyError"]
    assert "KeyError: 'internal sku'" in line["stack_trace"]
    assert ran.told["unknown"].endswith(line["support_reference"])


def _decorated(ran: Ran) -> None:
    assert ran.told["stock"] == 0
    line = ran.line("RESOURCE-NOT-FOUND")
    assert line["trace_id"] == ran.order == ran.reported(line).trace_id


def _through_the_middleware(ran: Ran) -> None:
    answer = ran.told["web"]
    assert (answer["status"], answer["retry_after"], answer["type"]) == (503, "5", "application/problem+json")
    line = ran.line("SERVICE-UNAVAILABLE")
    assert answer["body"]["reference"] == line["support_reference"]
    assert answer["body"]["code"] == "SERVICE-UNAVAILABLE"
    assert "Minuten" in answer["body"]["detail"]
    assert "10.0.0.7" not in json.dumps(answer)


def _the_critical_one_is_reported(ran: Ran) -> None:
    assert "internal text" not in ran.done.out
    (line,) = [line for line in ran.lines if line["context"] == {"job": "ledger"}]
    assert (line["level"], line["service_name"]) == ("CRITICAL", "shop")
    assert ran.told["critical"].endswith(f"Reference: {line['support_reference']}")
    assert "ZeroDivisionError: internal text" in line["stack_trace"]
    record = ran.reported(line)
    assert record.severity == 21
    assert record.attributes["otel_errors.severity"] == "critical"
    assert record.attributes["otel_errors.support_reference"] == line["support_reference"]


def _the_file_is_rotated_and_every_line_is_there(ran: Ran) -> None:
    assert [file.name for file in ran.files][-1] == "shop.jsonl"
    assert len(ran.files) > 1
    assert all(file.stat().st_size <= 20_000 for file in ran.files)
    assert [line["message"] for line in ran.lines if line["level"] == "INFO"] == [f"line {n}" for n in range(100)]


def _each_error_once(ran: Ran) -> None:
    logged = [line["event_id"] for line in ran.lines if line["event_id"]]
    assert len(logged) == len(set(logged)) == 5
    assert {record.event_id for record in ran.errors} == set(logged)
