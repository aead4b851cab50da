"""What the library says of an error, on the page of its issue: all parts for real."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import httpx

from tests.collector_processor.web.markup import Markup
from tests.end_to_end.processor import Processor, running
from tests.otel_errors.conftest import INSTRUMENT, environment
from tests.waiting import PATIENCE_SECONDS, wait_until

APPLICATION = """
    import logging, os
    import otel_errors
    from opentelemetry import trace
    logging.basicConfig(level=logging.INFO)
    def charge(holder, card_number, api_key):
        otel_errors.set_user("ann@example.com")
        otel_errors.set_feature_flag("express", True)
        otel_errors.set_context("cart", {"items": 3, "password": "hunter2"})
        logging.getLogger("shop").info("mail to %s", holder)
        raise LookupError("no such account")
    try:
        with trace.get_tracer("shop").start_as_current_span("pay", kind=trace.SpanKind.SERVER) as span:
            span.set_attribute("http.route", "/pay")
            charge("ann@example.com", 4111111111111111, os.environ["SHOP_KEY"])
    except LookupError:
        print("no such account")
"""


def test_release_route_flags_variables_and_what_was_logged_are_on_the_page_and_nobodys_data(tmp_path: Path) -> None:
    script = tmp_path / "shop.py"
    script.write_text(dedent(APPLICATION), encoding="utf-8")
    settings = {
        "OTEL_ERRORS_LOCALS": "true",
        "OTEL_ERRORS_SOURCE_LINES": "2",
        "OTEL_ERRORS_LAST_LOG_RECORDS": "5",
        "OTEL_ERRORS_USER_KEY": "correct horse battery staple",
        "OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN": "logs/dup",
        "GITHUB_SHA": "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
        "APP_ENV": "staging",
        "SHOP_KEY": "k-hunter3",
    }
    with running(Processor(tmp_path / "processor")) as processor:
        port = int(processor.grpc.rpartition(":")[2])
        done = subprocess.run(
            [INSTRUMENT, sys.executable, str(script)],
            env=environment(port, settings),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.stdout == "no such account\n", done.stderr
        wait_until(lambda: processor.total() > 0, what="the error", seconds=PATIENCE_SECONDS)
        (issue,) = processor.issues()
        assert (issue["count"], issue["users"]) == (1, 1)
        address = f"{processor.api}/issues/{issue['id']}"
        answer = httpx.get(address, headers={"Accept": "text/html"}, timeout=PATIENCE_SECONDS)
        page = Markup(answer.text)
    assert page.faults == []
    for text in (
        "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
        "staging",
        "/pay",
        "otel_errors.feature_flag.express",
        '{"items": 3, "password": "[redacted]"}',
        "Variables and source",
        "card_number",
        'raise LookupError("no such account")',
        "Logged before",
        "mail to [email]",
    ):
        assert text in page.text, text
    for text in ("ann@example.com", "4111111111111111", "k-hunter3", "hunter2"):
        assert text not in answer.text, text
