"""The shop as real processes under ``opentelemetry-instrument``, its telemetry received without the processor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from collector_processor.demo import BUGS, SECRETS, Driver, Ledger, Shop, bounded
from collector_processor.demo.children import ChildFailed
from collector_processor.demo.customers import STOCK_PASSWORD
from collector_processor.events import bare_type
from tests.collector_processor.demo.otlp_sink import Sink, receiving

SEED = 7


class Played(NamedTuple):
    sink: Sink
    ledger: Ledger
    logs: Path
    home: Path


@pytest.fixture(scope="module", params=["", "logs/dup"], ids=["span events", "logs and span events"])
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """The whole script, without the browsers' part, which does not go through the shop."""
    logs = tmp_path_factory.mktemp("logs")
    ledger = Ledger()
    with receiving() as sink:
        extra = {"OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN": request.param}
        with Shop(f"http://{sink.address}", logs, extra=extra) as shop:
            Driver(shop.urls, "", ledger).play([step for step in bounded(SEED) if step.service != "shop-web"])
            home = shop.home
        yield Played(sink, ledger, logs, home)


def test_every_bug_is_recorded_as_often_as_it_was_provoked_and_nothing_else_is(played: Played) -> None:
    ids = {
        (error.service, bare_type(error.attributes.get("exception.type", "")), error.attributes["otel_errors.event_id"])
        for error in played.sink.errors
    }
    recorded = Counter((service, kind) for service, kind, _ in ids)
    bugs = {bug.key: bug for bug in BUGS}
    provoked = {(bugs[key].service, bugs[key].type): times for key, times in played.ledger.expected().items()}
    assert recorded == provoked
    assert len(provoked) == len([bug for bug in BUGS if bug.service != "shop-web"])


def test_the_frames_are_an_applications(played: Played) -> None:
    (stack, *_) = [
        error.attributes["exception.stacktrace"]
        for error in played.sink.errors
        if error.attributes.get("exception.type") == "shop.checkout.payments.CardDeclined"
    ]
    assert f'File "{played.home}/shop/checkout/payments.py"' in stack
    assert "The above exception was the direct cause of the following exception" in stack


def test_an_error_of_another_service_is_in_the_trace_of_the_caller(played: Played) -> None:
    traces = {
        service: {error.trace_id for error in played.sink.errors if error.attributes.get("exception.type") == kind}
        for service, kind in (
            ("catalogue", "shop.catalogue.products.PriceListError"),
            ("checkout", "shop.calls.UpstreamError"),
        )
    }
    assert len(traces["checkout"]) == 4
    assert traces["catalogue"] == traces["checkout"]


def test_the_trace_that_was_not_sampled_has_its_error_in_a_log_record_and_no_span(played: Played) -> None:
    refused = [error for error in played.sink.errors if "RefundRefused" in error.attributes.get("exception.type", "")]
    assert {error.signal for error in refused} == {"log"}
    traces = {error.trace_id for error in refused}
    assert len(traces) == 5
    assert not [span for _, span in played.sink.spans if span.trace_id.hex() in traces]


def test_the_secrets_are_in_the_telemetry_but_not_in_the_console_logs(played: Played) -> None:
    """In the telemetry: otherwise looking for them in what the processor keeps would prove nothing."""
    sent = "\n".join(str(error.attributes) for error in played.sink.errors)
    assert {secret for secret in SECRETS if secret in sent} == named_in_errors()
    files = sorted(played.logs.iterdir())
    assert {file.stem for file in files} == {"shop-checkout", "shop-catalogue", "shop-worker"}
    printed = "\n".join(file.read_text() for file in files)
    assert "booking the parcel of order %d failed (CarrierTimeout)" in printed
    assert [secret for secret in SECRETS if secret in printed] == []


def named_in_errors() -> set[str]:
    """Who and what the script's errors name: of the others, no error says anything."""
    steps = bounded(SEED)
    declined = [step.body for step in steps if "card-declined" in step.raises and step.body]
    bounced = [step.body for step in steps if "mail" in step.raises and step.body]
    return {
        *(str(order[key]) for order in declined for key in ("email", "card_number")),
        *(str(order["email"]) for order in bounced),
        STOCK_PASSWORD,
    }


def test_nothing_is_left_of_the_shop(played: Played) -> None:
    assert not played.home.exists()


def test_a_service_that_does_not_start_is_an_error_with_its_output(tmp_path: Path) -> None:
    shop = Shop("http://127.0.0.1:9", tmp_path, extra={"SHOP_LISTEN_FD": "none"})
    with pytest.raises(ChildFailed, match=r"(?s)shop-\w+ .*SHOP_LISTEN_FD: 'none' is not a file descriptor"), shop:
        pass
    assert not shop.home.exists()


def test_the_shop_ends_with_whoever_started_it(tmp_path: Path) -> None:
    """Even when that one is killed and can stop nothing."""
    code = (
        "import sys, time, pathlib\n"
        "from collector_processor.demo import Shop\n"
        "with Shop('http://127.0.0.1:9', pathlib.Path(sys.argv[1]), extra={'OTEL_SDK_DISABLED': 'true'}) as shop:\n"
        "    print(*[child.pid for child in shop.children], flush=True)\n"
        "    time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert len(pids) == 3
    deadline = time.monotonic() + 90
    while any(_runs(pid) for pid in pids):
        assert time.monotonic() < deadline, "a service of the shop outlives its parent"
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # An orphan that has ended may wait for whoever adopted it to ask for its status.
    status = Path(f"/proc/{pid}/stat")
    try:
        return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
