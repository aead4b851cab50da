"""The three services of OTLP: their names and messages, once."""

from __future__ import annotations

from typing import Final, NamedTuple

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from collector_processor.otlp.exchange import TelemetrySignal

ExportRequest = ExportTraceServiceRequest | ExportLogsServiceRequest | ExportMetricsServiceRequest


class Service(NamedTuple):
    """One OTLP service: its gRPC name, its HTTP path, its messages, and what a partial success counts."""

    grpc_name: str
    path: str
    request: type[Message]
    response: type[Message]
    rejected_field: str

    @property
    def method(self) -> str:
        """The full gRPC method name."""
        return f"/{self.grpc_name}/Export"


SERVICES: Final[dict[TelemetrySignal, Service]] = {
    "traces": Service(
        "opentelemetry.proto.collector.trace.v1.TraceService",
        "/v1/traces",
        ExportTraceServiceRequest,
        ExportTraceServiceResponse,
        "rejected_spans",
    ),
    "logs": Service(
        "opentelemetry.proto.collector.logs.v1.LogsService",
        "/v1/logs",
        ExportLogsServiceRequest,
        ExportLogsServiceResponse,
        "rejected_log_records",
    ),
    "metrics": Service(
        "opentelemetry.proto.collector.metrics.v1.MetricsService",
        "/v1/metrics",
        ExportMetricsServiceRequest,
        ExportMetricsServiceResponse,
        "rejected_data_points",
    ),
}
SIGNAL_OF_PATH: Final[dict[str, TelemetrySignal]] = {service.path: signal for signal, service in SERVICES.items()}
