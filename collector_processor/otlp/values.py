"""OTLP's attribute values (``AnyValue``) as Python values, and setting attributes without a key twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue


def to_python(value: AnyValue) -> Any:
    """text, bool, int, float, bytes, list, dict, or None for an empty value. The last of equal keys wins."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [to_python(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return to_dict(value.kvlist_value.values)
    return getattr(value, kind)


def to_dict(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    """An attribute list as a dictionary; the last of equal keys wins, as it does in the SDKs."""
    return {attribute.key: to_python(attribute.value) for attribute in attributes}


def set_attributes(attributes: Any, values: Mapping[str, str | int]) -> None:
    """Set each of ``values`` on an attribute list (a repeated ``KeyValue``), replacing every attribute of that key."""
    for index in range(len(attributes) - 1, -1, -1):
        if attributes[index].key in values:
            del attributes[index]
    for key, value in values.items():
        attribute = attributes.add(key=key)
        if isinstance(value, str):
            attribute.value.string_value = value
        else:
            attribute.value.int_value = value
