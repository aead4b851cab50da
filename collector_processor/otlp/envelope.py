"""The outside of an export request: resources and scopes read, what they sent left as bytes.

Most of a request is of no interest, and protobuf spends fifty times longer on it than on its framing. These messages
have the field numbers of OTLP's own with one difference: a span or log record is a ``bytes`` field, so the same parser
checks the framing and leaves the inside alone. What is not touched is written again as it came.

``Request.sent[].resource``, ``.schema_url``, ``.scoped[].scope``, ``.schema_url``, ``.items[]``
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2

from collector_processor.otlp.codec import not_protobuf
from collector_processor.otlp.exchange import TelemetrySignal

_PACKAGE: Final = "otel_errors.envelope"
_RESOURCE: Final = resource_pb2.Resource.DESCRIPTOR.full_name
_SCOPE: Final = common_pb2.InstrumentationScope.DESCRIPTOR.full_name
_POINTS: Final = {"gauge": 5, "sum": 7, "histogram": 9, "exponential_histogram": 10, "summary": 11}

Envelope = Any
"""An instance of one of the classes below."""


def open_envelope(signal: TelemetrySignal, payload: bytes) -> Envelope:
    """The envelope of a protobuf ``payload``. The inside of spans, records and metrics is not looked at.

    Raises ``BadPayload`` for what is no request of that signal.
    """
    try:
        return _ENVELOPES[signal].FromString(payload)
    except DecodeError:
        raise not_protobuf(signal) from None


def spans_at_a_glance(signal: TelemetrySignal, payload: bytes) -> tuple[int, bool]:
    """Of a request of traces: how often the status of a span says ERROR, and whether any span has events.

    The first is at least the number of such spans; more only where a status says its code twice, which no SDK does.
    Raises ``BadPayload`` for spans whose framing is broken.
    """
    try:
        span = _MERGED.FromString(payload).sent.scoped.items
    except DecodeError:
        raise not_protobuf(signal) from None
    return sum(code == _ERROR for code in span.status.code), bool(span.events)


def data_points(metric: Any) -> int:
    """Of an item of an envelope of metrics."""
    kind = metric.WhichOneof("data")
    return len(getattr(metric, kind).data_points) if kind is not None else 0


_ERROR: Final = 2


def _declared() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="otel_errors/envelope.proto",
        package=_PACKAGE,
        syntax="proto3",
        dependency=[resource_pb2.DESCRIPTOR.name, common_pb2.DESCRIPTOR.name],
    )
    points = file.message_type.add(name="Points")
    _field(points, "data_points", 1, repeated=True)
    metric = file.message_type.add(name="Metric")
    metric.oneof_decl.add(name="data")
    for name, number in _POINTS.items():
        _field(metric, name, number, message=f"{_PACKAGE}.Points")
        metric.field[-1].oneof_index = 0
    for prefix, item in (("", None), ("Metrics", f"{_PACKAGE}.Metric")):
        scoped = file.message_type.add(name=f"{prefix}Scoped")
        _field(scoped, "scope", 1, message=_SCOPE)
        _field(scoped, "items", 2, message=item, repeated=True)
        _field(scoped, "schema_url", 3, text=True)
        sent = file.message_type.add(name=f"{prefix}Sent")
        _field(sent, "resource", 1, message=_RESOURCE)
        _field(sent, "scoped", 2, message=f"{_PACKAGE}.{prefix}Scoped", repeated=True)
        _field(sent, "schema_url", 3, text=True)
        _field(
            file.message_type.add(name=f"{prefix}Request"), "sent", 1, message=f"{_PACKAGE}.{prefix}Sent", repeated=True
        )
    # Nothing on the way to the codes repeats: the parser merges what does, and all codes come to stand in one list, all
    # events in another.
    for name, field, number, inner in (
        ("Merged", "sent", 1, "MergedSent"),
        ("MergedSent", "scoped", 2, "MergedScoped"),
        ("MergedScoped", "items", 2, "MergedSpan"),
        ("MergedSpan", "status", 15, "MergedStatus"),
    ):
        _field(file.message_type.add(name=name), field, number, message=f"{_PACKAGE}.{inner}")
    _field(next(one for one in file.message_type if one.name == "MergedSpan"), "events", 11, repeated=True)
    codes = file.message_type.add(name="MergedStatus")
    codes.field.add(name="code", number=3, type=Field.TYPE_INT32, label=Field.LABEL_REPEATED)
    return file


def _field(
    into: descriptor_pb2.DescriptorProto,
    name: str,
    number: int,
    *,
    message: str | None = None,
    text: bool = False,
    repeated: bool = False,
) -> None:
    """``bytes`` unless it is said to be something else."""
    field = into.field.add(name=name, number=number, label=Field.LABEL_REPEATED if repeated else Field.LABEL_OPTIONAL)
    if message is not None:
        field.type, field.type_name = Field.TYPE_MESSAGE, f".{message}"
    else:
        field.type = Field.TYPE_STRING if text else Field.TYPE_BYTES


def _class(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


_POOL: Final = descriptor_pool.Default()
_POOL.AddSerializedFile(_declared().SerializeToString())
_MERGED: Final = _class("Merged")
_ENVELOPES: Final[dict[TelemetrySignal, Any]] = {
    "traces": _class("Request"),
    "logs": _class("Request"),
    "metrics": _class("MetricsRequest"),
}
