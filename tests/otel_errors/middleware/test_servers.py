"""Each middleware in a real server, with real requests: started once, asked everything, stopped; then what was answered
and what was sent is looked at."""

from __future__ import annotations

import http.client
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.otel_errors.middleware.applications.shop import INTERNAL
from tests.otel_errors.middleware.conftest import Lookup
from tests.otel_errors.middleware.serving import (
    GUNICORN,
    PROBLEM,
    UVICORN,
    Answer,
    KeepingReceiver,
    Request,
    Served,
    ask,
    serving,
)
from tests.otel_errors.receiver import Record
from tests.waiting import PATIENCE_SECONDS

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
CASES = {
    "unknown": (500, "INTERNAL-ERROR"),
    "missing": (404, "RESOURCE-NOT-FOUND"),
    "invalid": (400, "VALIDATION-FAILED"),
    "login": (401, "AUTHENTICATION-REQUIRED"),
    "busy": (429, "RATE-LIMITED"),
    "down": (503, "SERVICE-UNAVAILABLE"),
}
SEVERITIES = {"missing": "low", "invalid": "low", "login": "low", "busy": "low", "clerk": "low", "down": "critical"}
PAGE = Request("/error/invalid", BROWSER)
GERMAN = Request("/error/unknown", BROWSER, "de-AT, en;q=0.5")
CURL = Request("/error/unknown", "*/*")
TEXT = Request("/error/unknown", "text/plain")
HEAD = Request("/error/unknown", method="HEAD")
COMMON = (*(Request(f"/error/{case}") for case in CASES), PAGE, GERMAN, CURL, TEXT, HEAD)


@dataclass(frozen=True)
class Case:
    """What fails elsewhere than in an endpoint."""

    path: str
    status: int = 500
    cut: bool = False
    """The answer has begun when it fails."""
    mechanism: str = ""
    """Where the instrumentation sees the error first."""
    traced: bool = True

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Server:
    name: str
    module: str
    command: tuple[str, ...]
    mechanism: str
    cases: tuple[Case, ...]
    own: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    """Answers of the framework and the application: the status, and what the body holds."""
    own_errors: int = 0
    """How many of these are errors too."""
    instrumentations: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)
    websocket: tuple[str, ...] = ()
    page: str = "<main>"
    """What the page for people holds."""


SERVERS = (
    Server(
        "ASGI, uvicorn",
        "asgi_app",
        UVICORN,
        "asgi",
        (Case("/stream", 200, cut=True), Case("/background", 200)),
        websocket=("unknown", "policy", "later", "denied"),
    ),
    Server(
        "WSGI, gunicorn's gthread",
        "wsgi_app",
        (*GUNICORN, "--worker-class", "gthread", "--threads", "1"),
        "wsgi",
        (Case("/stream", 200, cut=True), Case("/early"), Case("/write", 200, cut=True), Case("/background", 200)),
        {
            "/file": (200, "class Body"),
            "/replaced": (409, "replaced"),
            "/empty": (200, ""),
            "/closed": (200, "stream early background"),
        },
    ),
    Server(
        "FastAPI, uvicorn",
        "fastapi_app",
        UVICORN,
        "starlette",
        (
            Case("/stream/stream", 200, cut=True),
            Case("/stream/early", 200, cut=True),
            Case("/background", 200, mechanism="span"),
            Case("/inner"),
            Case("/outer", mechanism="span"),
            Case("/thread/threaded"),
        ),
        {
            "/error/own": (409, "the application's own"),
            "/framework/404": (404, '{"detail":"the framework\'s own"}'),
            "/framework/503": (503, '{"detail":"the framework\'s own"}'),
            "/inner/framework": (418, '{"detail":"the framework\'s own"}'),
            "/outer/framework": (418, '{"detail":"the framework\'s own"}'),
        },
        1,
        ("fastapi",),
        websocket=("websocket",),
        page="<h1>The shop</h1>",
    ),
    Server(
        "Flask, gunicorn",
        "flask_app",
        GUNICORN,
        "flask",
        (
            Case("/stream/stream", 200, cut=True),
            Case("/stream/early"),
            Case("/background", 200),
            Case("/inner"),
            Case("/after"),
            Case("/outer", traced=False),
            Case("/teardown"),  # last: the instrumentation then leaves its context behind
        ),
        {
            "/error/own": (409, "the application's own"),
            "/framework/404": (404, "the framework&#39;s own"),
            "/framework/503": (503, "the framework&#39;s own"),
        },
        1,
        ("flask",),
    ),
    Server(
        "Django, gunicorn",
        "django_app",
        GUNICORN,
        "django",
        (
            Case("/stream/stream", 200, cut=True),
            Case("/inner"),
            Case("/inner/clerk", 403),
            Case("/async/asynchronous"),
        ),
        {
            "/error/own": (409, "the application's own"),
            "/framework/404": (404, "The requested resource was not found"),
            "/framework/403": (403, "403 Forbidden"),
            "/file": (200, "urlpatterns"),
        },
        0,
        ("django",),
        {"SHOP_SERVES": "wsgi"},
    ),
    Server(
        "Django, uvicorn",
        "django_app",
        UVICORN,
        "django",
        (
            Case("/async-stream/stream", 200, cut=True),
            Case("/stream/early", 200, cut=True),
            Case("/inner"),
            Case("/inner/clerk", 403),
            Case("/async/asynchronous"),
        ),
        {"/error/own": (409, "the application's own"), "/framework/404": (404, "The requested resource was not found")},
        0,
        ("django",),
        {"SHOP_SERVES": "asgi"},
    ),
)


@dataclass
class Ran:
    server: Server
    served: Served
    closes: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By path of the WebSocket: code and reason, or status and body where it was refused."""
    kept: bytes = b""
    """The second answer over a connection whose first one had work after it that failed."""

    def answer(self, request: Request | str) -> Answer:
        return self.served.answers[Request(request) if isinstance(request, str) else request]

    @property
    def by_reference(self) -> dict[str, list[Record]]:
        found: dict[str, list[Record]] = defaultdict(list)
        for record in self.served.errors:
            found[str(record.attributes["otel_errors.support_reference"])].append(record)
        return found


@pytest.fixture(scope="module", params=SERVERS, ids=lambda server: server.name)
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run(request.param, tmp_path_factory.mktemp("server"))


def run(server: Server, home: Path, **extra: str) -> Ran:
    receiver = KeepingReceiver()
    requests = [*COMMON, *(Request(case.path) for case in server.cases), *(Request(path) for path in server.own)]
    environment = {**server.extra, **extra}
    try:
        with serving(
            server.module,
            server.command,
            receiver.port,
            home,
            instrumentations=server.instrumentations,
            extra=environment,
        ) as (address, served):
            served.answers = ask(address, requests)
            ran = Ran(server, served, {path: _closed(address, path) for path in server.websocket})
            if server.command == UVICORN and any(case.name == "background" for case in server.cases):
                ran.kept = _second_answer(address)
        served.errors, served.payloads = receiver.errors, receiver.payloads
    finally:
        receiver.stop()
    return ran


def _closed(address: str, path: str) -> tuple[int, str]:
    try:
        with connect(address.replace("http", "ws") + "/" + path, open_timeout=PATIENCE_SECONDS) as socket:
            socket.send("hello")
            for _ in range(3):
                socket.recv(PATIENCE_SECONDS)
    except InvalidStatus as refused:
        return refused.response.status_code, bytes(refused.response.body or b"").decode()
    except ConnectionClosed as closed:
        return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (0, "")
    raise AssertionError("the connection stays open")


def _second_answer(address: str) -> bytes:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/background")
        assert connection.getresponse().read() == b"whole"
        connection.auto_open = 0  # no second connection
        connection.request("GET", "/ready")
        return connection.getresponse().read()
    finally:
        connection.close()


def test_status_and_problem_document(ran: Ran) -> None:
    for case, (status, code) in CASES.items():
        answer = ran.answer(f"/error/{case}")
        assert (answer.status, answer.kind) == (status, PROBLEM)
        problem = answer.problem
        assert (problem["status"], problem["code"], problem["error_code"]) == (status, code, status)
        assert problem["reference"] == answer.reference != ""
        assert problem["type"].endswith(f"/errors/{code}" if ran.server.mechanism == "asgi" else "about:blank")
        assert INTERNAL not in answer.body.decode() + str(answer.headers)
    assert ran.answer("/error/invalid").problem["errors"] == [{"field": "age", "detail": "<b>Too low.</b>"}]


def test_headers(ran: Ran) -> None:
    for request in COMMON:
        answer = ran.answer(request)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["vary"].startswith("Accept, Accept-Language")
        assert answer.headers["x-content-type-options"] == "nosniff"
        if request.method != "HEAD":
            assert int(answer.headers["content-length"]) == len(answer.body) > 0
    assert ran.answer("/error/busy").headers["retry-after"] == "3"
    assert ran.answer("/error/down").headers["retry-after"] == "5"
    assert ran.answer("/error/login").headers["www-authenticate"] == 'Bearer realm="shop"'
    assert "retry-after" not in ran.answer("/error/unknown").headers


def test_a_page_for_browsers(ran: Ran) -> None:
    page, german = ran.answer(PAGE), ran.answer(GERMAN)
    assert (page.status, page.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert ran.server.page in page.body.decode()
    assert german.headers["content-language"] == "de"
    assert german.reference in german.body.decode()
    assert INTERNAL not in page.body.decode() + german.body.decode()
    if ran.server.page == "<main>":
        assert "<strong>age</strong>: &lt;b&gt;Too low.&lt;/b&gt;" in page.body.decode()
        assert "Bei uns ist etwas schiefgegangen." in german.body.decode()
        assert '<html lang="de" ' in german.body.decode()
        assert "default-src 'none'" in page.headers["content-security-policy"]
        Balanced().feed(page.body.decode())


def test_json_for_programs_and_text_for_who_asks(ran: Ran) -> None:
    assert ran.answer(CURL).kind == PROBLEM
    text = ran.answer(TEXT)
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert text.body.decode().endswith(f"Reference: {text.reference}\n")


def test_head_has_the_headers_and_no_body(ran: Ran) -> None:
    head, got = ran.answer(HEAD), ran.answer("/error/unknown")
    assert (head.status, head.kind, head.body) == (500, PROBLEM, b"")
    assert head.headers["content-length"] == got.headers["content-length"]


def test_answers_of_the_framework_and_the_application_stay(ran: Ran) -> None:
    for path, (status, text) in ran.server.own.items():
        answer = ran.answer(path)
        assert (answer.status, answer.reference, answer.cut) == (status, "", False), path
        assert text in answer.body.decode()


def test_errors_elsewhere_than_in_an_endpoint(ran: Ran) -> None:
    for case in ran.server.cases:
        answer = ran.answer(case.path)
        assert (answer.status, answer.cut) == (case.status, case.cut), case
        assert INTERNAL not in answer.body.decode()
        assert b"second part" not in answer.body
        if case.status >= 400:
            assert answer.problem["reference"] == answer.reference != "", case


def test_one_error_each_under_the_reference_of_the_answer(ran: Ran) -> None:
    assert_one_error_each(ran)


@pytest.mark.long
@pytest.mark.parametrize("mode", ["logs", "logs/dup"])
@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_the_same_in_every_signal_mode(server: Server, mode: str, tmp_path: Path) -> None:
    assert_one_error_each(run(server, tmp_path, OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN=mode))


def assert_one_error_each(ran: Ran) -> None:
    events: dict[str, set[str]] = {
        reference: {record.event_id for record in records} for reference, records in ran.by_reference.items()
    }
    assert all(len(ids) == 1 for ids in events.values())
    answered = [answer.reference for answer in ran.served.answers.values() if answer.reference]
    assert len(set(answered)) == len(answered)
    assert set(answered) <= set(events)
    late = sum(case.status == 200 for case in ran.server.cases)
    again = 1 if ran.kept else 0
    assert len(events) == len(answered) + late + len(ran.closes) + ran.server.own_errors + again


def test_the_reference_finds_the_event(ran: Ran, lookup: Lookup) -> None:
    lookup.send(ran.served.payloads)
    answered = {answer.reference for answer in ran.served.answers.values() if answer.reference}
    assert len(answered) >= len(COMMON)
    for reference in answered:
        record = ran.by_reference[reference][0]
        found = lookup.find(reference)
        assert found["support_reference"] == reference
        assert (found["event_id"], found["trace_id"] or "") == (record.event_id, record.trace_id)


def test_what_is_recorded(ran: Ran) -> None:
    cases = {case.name: case for case in ran.server.cases}
    for name in [*CASES, *cases]:
        case = cases.get(name, Case(name))
        records = ran.served.of(name)
        assert records, name
        for record in records:
            attributes = record.attributes
            assert attributes["otel_errors.mechanism"] == (case.mechanism or ran.server.mechanism), name
            assert attributes.get("otel_errors.severity") == SEVERITIES.get(name)
            # Raised in a middleware of Django's, which tells of it before it is known how it is answered.
            expected = SEVERITIES.get(name) == "low" and name != "clerk"
            assert attributes["otel_errors.handled"] is expected, name
            assert bool(record.trace_id) is case.traced, name


def test_the_handler_logs_once(ran: Ran) -> None:
    for reference, records in ran.by_reference.items():
        if INTERNAL in str(records[0].attributes["exception.message"]):
            assert ran.served.err.count(f"(reference {reference})") == 1, records[0].attributes["exception.message"]


def test_websockets_are_closed(ran: Ran) -> None:
    if not ran.closes:
        return
    references = {text.rpartition(" ")[2] for code, text in ran.closes.values() if code < 4000 and code >= 1000}
    assert references <= set(ran.by_reference)
    if ran.server.mechanism == "starlette":
        assert ran.closes["websocket"][0] == 1011
        return
    assert {path: code for path, (code, _) in ran.closes.items()} == {
        "unknown": 1011, "policy": 1008, "later": 1013, "denied": 500,
    }  # fmt: skip
    assert ran.closes["policy"][1].startswith("RESOURCE-NOT-FOUND ")
    assert json.loads(ran.closes["denied"][1])["reference"] in ran.by_reference


def test_a_failure_after_the_answer_leaves_the_connection_open(ran: Ran) -> None:
    if ran.kept:
        assert ran.kept.strip(b'"') in (b"ready", b"whole")


def test_a_start_that_fails_is_the_server_s(tmp_path: Path) -> None:
    receiver = KeepingReceiver()
    try:
        command = (*UVICORN, "--lifespan", "on")
        with serving("asgi_app", command, receiver.port, tmp_path, extra={"SHOP_DOES_NOT_START": "1"}) as (_, served):
            pass
        served.errors = receiver.errors
    finally:
        receiver.stop()
    assert "Application startup failed" in served.err
    assert "(reference " not in served.err
    assert [record.attributes["otel_errors.mechanism"] for record in served.of("lifespan")] == ["uvicorn"]


class Balanced(HTMLParser):
    """Fails when a tag is not closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
