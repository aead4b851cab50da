"""From the reference in an application's log, and in its user's answer, to the very event: all parts for real."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import httpx
import pytest

from tests.end_to_end.processor import Processor, running
from tests.end_to_end.test_pages import page_in_browser, visible
from tests.otel_errors.conftest import INSTRUMENT, environment
from tests.waiting import PATIENCE_SECONDS, wait_until

APPLICATION = """
    from opentelemetry import trace
    from otel_errors.app_errors import ServiceUnavailableError
    from otel_errors.handler import ErrorHandler
    from otel_errors.logger import setup_logger

    handler = ErrorHandler(setup_logger("shop"))
    tracer = trace.get_tracer("shop")

    def charge(number):
        raise ServiceUnavailableError(f"ledger {number} does not answer", service_name="ledger")

    for number in range(30):
        with tracer.start_as_current_span("request"):
            try:
                with tracer.start_as_current_span("order"):
                    charge(number)
            except ServiceUnavailableError as error:
                print(handler.handle_exception(error))
"""


@dataclass
class Ran:
    processor: Processor
    answers: list[str]
    """What users were told."""
    lines: list[dict[str, Any]]
    """Of the application's log file."""

    def look_up(self, reference: str) -> httpx.Response:
        return httpx.get(f"{self.processor.api}/api/v1/lookup/{reference}", timeout=PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("lookup")
    script, log = folder / "app.py", folder / "shop.jsonl"
    script.write_text(dedent(APPLICATION), encoding="utf-8")
    # few bodies are kept: references have to be found without them
    processor = Processor(folder / "processor", OTEL_ERRORS_STORE__OCCURRENCES_PER_ISSUE="5")
    with running(processor):
        port = int(processor.grpc.rpartition(":")[2])
        signals = {"OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN": "logs/dup", "LOG_FILE_PATH": str(log)}
        done = subprocess.run(
            [INSTRUMENT, sys.executable, str(script)],
            env=environment(port, signals),
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        wait_until(lambda: processor.total() >= len(lines), what="every error counted")
        yield Ran(processor, done.stdout.splitlines(), lines)


def test_every_reference_of_the_log_leads_to_its_event(ran: Ran) -> None:
    assert len(ran.lines) == len(ran.answers) == 30
    assert ran.processor.total() == 30, "span and log copies are one"
    kept = 0
    for line, answer in zip(ran.lines, ran.answers, strict=True):
        reference = line["support_reference"]
        assert answer.endswith(reference)
        found = ran.look_up(reference)
        assert found.status_code == 200, found.text
        document = found.json()
        assert (document["event_id"], document["trace_id"]) == (line["event_id"], line["trace_id"])
        assert document["issue"]["service_name"] == "shop"
        assert document["time"][:13] == line["timestamp"][:13]
        if document["occurrence"] is not None:
            kept += 1
            assert document["occurrence"]["event_id"] == line["event_id"]
            assert document["occurrence"]["support_reference"] == reference
    assert 0 < kept < 30, "some are kept, and those that are not are found too"


def test_as_it_was_heard_on_the_phone(ran: Ran) -> None:
    reference = ran.lines[3]["support_reference"]
    heard = reference.lower().replace("-", "").replace("0", "o").replace("1", "i")
    assert ran.look_up(heard).json()["event_id"] == ran.lines[3]["event_id"]
    wrong = reference[:-1] + ("7" if reference[-1] != "7" else "8")
    refused = ran.look_up(wrong)
    assert (refused.status_code, refused.headers["content-type"]) == (400, "application/problem+json")
    assert "the last character" in refused.json()["detail"]


def test_the_search_box_leads_to_the_event_in_a_browser(ran: Ran, tmp_path: Path) -> None:
    line = ran.lines[-1]
    page = page_in_browser(f"{ran.processor.api}/?state=open&q={line['support_reference'].lower()}", tmp_path)
    assert line["support_reference"] in visible(page)
    assert line["event_id"] in visible(page)
    assert "the occurrence" in visible(page)
