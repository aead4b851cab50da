"""The usage that the library was planned for, as an application under ``opentelemetry-instrument``."""

from __future__ import annotations

import json
from pathlib import Path

from tests.otel_errors.conftest import Run
from tests.otel_errors.receiver import Receiver

APPLICATION = """
    import asyncio
    from opentelemetry import trace
    from otel_errors.app_errors import InternalServerError, ResourceNotFoundError
    from otel_errors.handler import ErrorHandler
    from otel_errors.logger import setup_logger

    logger = setup_logger("shop")
    handler = ErrorHandler(logger)

    @handler.catch(default=0)
    def stock(sku):
        raise ResourceNotFoundError("no row", resource_id=sku)

    @handler.catch(reraise=True, context={"job": "ledger"})
    async def ledger():
        raise InternalServerError("ledger is off", original_exception=ZeroDivisionError("internal text"))

    with trace.get_tracer("shop").start_as_current_span("order"):
        assert stock("A-1") == 0
    try:
        asyncio.run(ledger())
    except InternalServerError as error:
        print(handler.handle_exception(error))
    for number in range(100):
        logger.info("line %d", number)
"""


def test_raise_handle_decorate_rotate_and_report(run: Run, receiver: Receiver, tmp_path: Path) -> None:
    file = tmp_path / "log" / "shop.jsonl"
    done = run(
        APPLICATION,
        LOG_FILE_PATH=str(file),
        LOG_MAX_BYTES="20000",
        LOG_BACKUP_COUNT="9",
        LOG_LEVEL="INFO",
        APP_ENV="test",
    )
    assert done.code == 0, done.err
    assert "internal text" not in done.out
    reference = done.out.strip().rpartition("Reference: ")[2]

    files = sorted(file.parent.iterdir(), reverse=True)
    assert len(files) > 1
    lines = [json.loads(line) for each in files for line in each.read_text(encoding="utf-8").splitlines()]
    assert [line["level"] for line in lines] == ["WARNING", "CRITICAL", *["INFO"] * 100]
    missing, critical = lines[:2]
    assert (critical["support_reference"], critical["context"], critical["service_name"]) == (
        reference,
        {"job": "ledger"},
        "shop",
    )
    assert "ZeroDivisionError: internal text" in critical["stack_trace"]

    reported = {record.event_id: record for record in receiver.errors}
    assert set(reported) == {missing["event_id"], critical["event_id"]}
    assert receiver.span("order").events[0].event_id == missing["event_id"]
    assert receiver.span("order").trace_id == missing["trace_id"]
    severe = [record for record in receiver.errors if record.event_id == critical["event_id"]]
    assert {record.severity for record in severe} == {21}
    assert {record.attributes["otel_errors.support_reference"] for record in severe} == {reference}
    assert {record.attributes["otel_errors.severity"] for record in severe} == {"critical"}
