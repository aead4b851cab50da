"""Nothing internal reaches the answer, whatever an error says."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_errors.app_errors import (
    AuthenticationError,
    BaseAppError,
    InternalServerError,
    RateLimitError,
    ResourceNotFoundError,
    ServiceUnavailableError,
    ValidationError,
)
from otel_errors.handler import ErrorHandler
from otel_errors.middleware import asgi, wsgi
from otel_errors.middleware.grpc_status import trailers_of
from otel_errors.middleware.response import response_to
from tests.otel_errors.middleware.calling import Called, call_asgi, call_wsgi

KINDS: tuple[Callable[[str], Exception], ...] = (
    RuntimeError,
    KeyError,
    lambda text: OSError(2, text, text),
    lambda text: UnicodeDecodeError("utf-8", text.encode("utf-8", "replace"), 0, 0, text),
    lambda text: type(text[:20].replace("\0", "") or "E", (Exception,), {"__str__": lambda self: text})(text),
    lambda text: BaseAppError(text, details={"internal": text, text: text}),
    lambda text: ResourceNotFoundError(text, resource_id=text),
    lambda text: ServiceUnavailableError(text, service_name=text, retry_after=5),
    lambda text: InternalServerError(text, original_exception=ValueError(text)),
    lambda text: AuthenticationError(text, challenge="Bearer"),
    lambda text: ValidationError(text, field_errors={"age": "Too low."}),
)
# Long enough not to be part of our own words by chance.
TEXTS = st.text(min_size=12, max_size=60).map(lambda text: f"zq{text}qz")
ACCEPTS = st.sampled_from(["application/json", "text/html", "text/plain", "*/*", ""])
LANGUAGES = st.sampled_from(["en", "de", "fr", "es", "tlh", ""])


@pytest.fixture(autouse=True, scope="module")
def quiet() -> Any:
    logger = logging.getLogger("otel_errors.handler")
    logger.disabled = True
    yield
    logger.disabled = False


def answers_to(error: Exception, headers: dict[str, str]) -> list[Called]:
    async def asgi_shop(scope: Any, receive: Any, send: Any) -> None:
        raise error

    def wsgi_shop(environ: Any, start_response: Any) -> Any:
        raise error

    return [
        call_asgi(asgi.ErrorMiddleware(asgi_shop), headers),
        call_wsgi(wsgi.ErrorMiddleware(wsgi_shop), headers),
    ]


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(text=TEXTS, kind=st.sampled_from(range(len(KINDS))), accept=ACCEPTS, language=LANGUAGES)
def test_nothing_of_an_error_is_in_the_answer(text: str, kind: int, accept: str, language: str) -> None:
    error = KINDS[kind](text)
    for answer in answers_to(error, {"Accept": accept, "Accept-Language": language}):
        whole = json.dumps(answer.headers) + answer.body.decode("utf-8")
        assert 400 <= answer.status <= 599
        for form in (text, json.dumps(text)[1:-1], repr(text)[1:-1], "zq" + text[2:8], type(error).__name__ + "("):
            assert form not in whole
        assert int(answer.headers["content-length"]) == len(answer.body)
        assert "Traceback" not in whole


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(text=TEXTS, kind=st.sampled_from(range(len(KINDS))))
def test_nothing_of_an_error_is_in_the_trailers_of_grpc(text: str, kind: int) -> None:
    handled = ErrorHandler().handle(KINDS[kind](text))
    whole = b"".join(value if isinstance(value, bytes) else value.encode() for _, value in trailers_of(handled, 13))
    assert text.encode("utf-8", "replace") not in whole + str(handled).encode()
    assert ("zq" + text[2:8]).encode("utf-8", "replace") not in whole


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(text=st.text(max_size=80), name=st.text(max_size=40), accept=ACCEPTS)
def test_what_is_for_the_user_is_escaped_and_cannot_break_the_answer(text: str, name: str, accept: str) -> None:
    class Own(ValidationError):
        def headers(self) -> dict[str, str]:
            return {name: text, "X-Shop": text, "Content-Length": "1", "transfer-encoding": text}

    error = Own("bad", field_errors={name: text}, user_message=text)
    response = response_to(ErrorHandler().handle(error), accept=accept)
    for header, value in response.headers:
        assert header.isascii()
        assert value.isascii()
        assert not set("\r\n\0") & set(header + value)
    lower = [header.lower() for header, _ in response.headers]
    assert len(set(lower)) == len(lower)
    assert "transfer-encoding" not in lower
    assert dict(response.headers)["Content-Length"] == str(len(response.body))
    if accept == "text/html":
        page = response.body.decode()
        assert page.count("<") == page.count(">")
        assert "<script" not in page
        if "<" in text + name:
            assert "&lt;" in page


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(accept=st.text(max_size=200), language=st.text(max_size=200), method=st.text(max_size=10))
def test_any_request_gets_an_answer(accept: str, language: str, method: str) -> None:
    handled = ErrorHandler().handle(RateLimitError("60 a minute", retry_after=1), language=language)
    response = response_to(handled, accept=accept, method=method)
    assert response.status == 429
    assert (response.body == b"") is (method.upper() == "HEAD")


@pytest.mark.parametrize("accept", ["application/json", "text/html", "text/plain"])
def test_a_subclass_that_answers_badly_is_answered_all_the_same(accept: str) -> None:
    class Broken(BaseAppError):
        def to_problem(self, **options: Any) -> dict[str, Any]:
            return {"title": object(), "detail": {1, 2}, "errors": [7, {"field": None}]}

    class Nothing(BaseAppError):
        def to_problem(self, **options: Any) -> Any:
            return None

    class Raising(BaseAppError):
        def headers(self) -> Any:
            raise RuntimeError("no headers")

    class Status(BaseAppError):
        def __init__(self) -> None:
            super().__init__()
            self.status = 200

    for error in (Broken("x"), Nothing("x"), Raising("x"), Status(), BaseAppError.__new__(Broken)):
        response = response_to(ErrorHandler().handle(error), accept=accept)
        assert (response.status, len(response.body) > 10) == (500, True)


def test_a_page_of_the_application_that_fails_is_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    def page(handled: object) -> str:
        raise RuntimeError("no template")

    for own in (page, lambda handled: 7):
        response = response_to(ErrorHandler().handle(KeyError("x")), accept="text/html", page=own)  # type: ignore[arg-type]
        assert b"<main>" in response.body
    assert "no template" in capsys.readouterr().err
