from __future__ import annotations

import json
import math

import grpc
import pytest
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from collector_processor.otlp.exchange import Accepted, BadData, Outcome, Retry, TooLarge
from collector_processor.otlp.status import to_grpc, to_http

FAILURES = [
    (Retry("later", 2.5), grpc.StatusCode.UNAVAILABLE, 14, 503),
    (BadData("broken"), grpc.StatusCode.INVALID_ARGUMENT, 3, 400),
    (TooLarge("big"), grpc.StatusCode.RESOURCE_EXHAUSTED, 8, 413),
]


@pytest.mark.parametrize(("outcome", "code", "number", "status"), FAILURES)
def test_each_failure_has_its_code_on_both_wires(
    outcome: Retry | BadData | TooLarge, code: grpc.StatusCode, number: int, status: int
) -> None:
    over_grpc = to_grpc(outcome)
    assert over_grpc.code is code
    detail = status_pb2.Status.FromString(dict(over_grpc.trailers)["grpc-status-details-bin"])
    assert (detail.code, detail.message) == (number, outcome.reason) == (number, over_grpc.details)
    over_http = to_http("traces", outcome, "protobuf")
    assert over_http.status == status
    assert status_pb2.Status.FromString(over_http.body) == detail
    assert dict(over_http.headers)[b"content-type"] == b"application/x-protobuf"
    as_json = to_http("traces", outcome, "json")
    assert json_format.Parse(as_json.body, status_pb2.Status()) == detail
    assert dict(as_json.headers)[b"content-type"] == b"application/json"


def test_the_delay_of_a_retry_travels_in_every_place_that_a_client_reads() -> None:
    trailers = dict(to_grpc(Retry("later", 2.5)).trailers)
    plain = error_details_pb2.RetryInfo.FromString(trailers["google.rpc.retryinfo-bin"])
    packed = error_details_pb2.RetryInfo()
    assert status_pb2.Status.FromString(trailers["grpc-status-details-bin"]).details[0].Unpack(packed)
    assert plain == packed
    assert (plain.retry_delay.seconds, plain.retry_delay.nanos) == (2, 500_000_000)
    assert dict(to_http("logs", Retry("later", 2.5), "protobuf").headers)[b"retry-after"] == b"3"


@pytest.mark.parametrize("outcome", [BadData("x"), TooLarge("x")])
def test_what_must_not_be_retried_names_no_delay(outcome: BadData | TooLarge) -> None:
    assert "google.rpc.retryinfo-bin" not in dict(to_grpc(outcome).trailers)
    assert b"retry-after" not in dict(to_http("traces", outcome, "json").headers)


@pytest.mark.parametrize(
    ("delay", "header"), [(0.0, b"1"), (-5.0, b"1"), (0.2, b"1"), (1e9, b"300"), (math.inf, b"300"), (math.nan, b"300")]
)
def test_a_delay_is_made_one_that_can_be_waited(delay: float, header: bytes) -> None:
    assert dict(to_http("traces", Retry("x", delay), "json").headers)[b"retry-after"] == header
    to_grpc(Retry("x", delay))


def test_a_full_success_leaves_partial_success_unset() -> None:
    answer = to_http("traces", Accepted(), "protobuf")
    assert (answer.status, answer.body) == (200, b"")
    assert json.loads(to_http("traces", Accepted(), "json").body) == {}


def test_a_partial_success_counts_in_the_words_of_its_signal() -> None:
    answer = to_http("logs", Accepted(3, "too old"), "protobuf")
    partial = ExportLogsServiceResponse.FromString(answer.body).partial_success
    assert (answer.status, partial.rejected_log_records, partial.error_message) == (200, 3, "too old")
    as_json = json.loads(to_http("metrics", Accepted(3, "too old"), "json").body)
    assert as_json == {"partialSuccess": {"rejectedDataPoints": "3", "errorMessage": "too old"}}


def test_a_warning_is_a_partial_success_that_rejects_nothing() -> None:
    response = ExportTraceServiceResponse.FromString(to_http("traces", Accepted(0, "hm"), "protobuf").body)
    assert response.HasField("partial_success")
    assert (response.partial_success.rejected_spans, response.partial_success.error_message) == (0, "hm")


HOSTILE = ["\0\r\nSet-Cookie: a=b", "é" * 5000, "\ud800", "😀" * 3000, ""]


@pytest.mark.parametrize("reason", HOSTILE)
def test_any_reason_fits_into_trailers_and_is_valid_text(reason: str) -> None:
    for outcome in (Retry(reason), BadData(reason), TooLarge(reason)):
        status = to_grpc(outcome)
        assert 0 < len(status.details.encode()) <= 1000
        assert status.details.isprintable()
        # Percent-encoded details and base64 of the detail: clients refuse more than 8 KiB.
        assert len(status.details.encode()) * 3 + sum(len(value) * 4 / 3 for _, value in status.trailers) < 7000
        to_http("traces", outcome, "json").body.decode()


def test_the_codes_on_which_clients_drop_data_by_mistake_are_not_in_the_table() -> None:
    outcomes: list[Outcome] = [Accepted(), *(failure[0] for failure in FAILURES)]
    assert not {to_http("traces", outcome, "json").status for outcome in outcomes} & {500, 501}
    codes = {to_grpc(failure[0]).code for failure in FAILURES}
    assert not codes & {grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL}
