"""OTLP's JSON encoding, read straight into protobuf messages.

It is proto3 JSON with four differences, which is why protobuf's own ``json_format`` cannot read it: trace and span ids
are hexadecimal, enums are numbers only, names are lowerCamelCase only, and unknown fields are ignored. (Source: OTLP
specification 1.11, "JSON Protobuf Encoding".) Where the specification leaves room this reader is generous, for a
refused request is lost data: unknown enum numbers are kept, 64-bit integers may be numbers or texts, base64 may be of
either alphabet, lone surrogates become U+FFFD.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

MAX_DEPTH: Final = 100
"""Of messages inside messages: what protobuf parsers of most languages accept on the wire."""
MAX_PATH: Final = 400

_HEX_FIELDS: Final = frozenset({"trace_id", "span_id", "parent_span_id"})
_INTEGER: Final = re.compile(r"-?[0-9]{1,20}\Z", re.ASCII)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_NOT_FINITE: Final = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


class BadPayload(ValueError):
    """A payload that is not OTLP. The text names the place and what is allowed there, never the value that is there."""

    def inside(self, place: str) -> BadPayload:
        """The same, seen from the message that holds ``place``; the head of a very long path is left out."""
        text = str(self)
        return self if len(text) > MAX_PATH else BadPayload(place + text)


class _Field(NamedTuple):
    name: str
    repeated: bool
    message: bool
    read: Callable[[Any], Any]


def fill_from_json(message: Message, payload: bytes) -> None:
    """Set the fields of ``message`` from an OTLP/JSON ``payload`` (UTF-8). Raises ``BadPayload``."""
    try:
        data = json.loads(payload.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise BadPayload("not JSON: the body is not UTF-8") from None
    except RecursionError:
        raise BadPayload("not OTLP: values are nested too deep") from None
    except ValueError as error:
        raise BadPayload(f"not JSON: {error}") from None
    try:
        _fill(message, data, 1)
    except BadPayload as error:
        raise BadPayload(f"not OTLP: {str(error).lstrip('.: ')}") from None


def _fill(message: Message, data: Any, depth: int) -> None:
    if not isinstance(data, dict):
        raise BadPayload(f": an object is needed, got {_kind(data)}")
    if depth > MAX_DEPTH:
        raise BadPayload(": values are nested too deep")
    fields = _fields(message.DESCRIPTOR)
    for key, value in data.items():
        field = fields.get(key)
        if field is None or value is None:
            continue
        try:
            if field.repeated:
                _fill_repeated(getattr(message, field.name), field, value, depth)
            elif field.message:
                child = getattr(message, field.name)
                child.SetInParent()
                _fill(child, value, depth + 1)
            else:
                setattr(message, field.name, field.read(value))
        except BadPayload as error:
            raise error.inside(f".{key}") from None
        except (ValueError, OverflowError, TypeError):
            raise BadPayload(f".{key}: out of range") from None


def _fill_repeated(container: Any, field: _Field, values: Any, depth: int) -> None:
    if not isinstance(values, list):
        raise BadPayload(f": a list is needed, got {_kind(values)}")
    for index, value in enumerate(values):
        try:
            if field.message:
                _fill(container.add(), value, depth + 1)
            else:
                container.append(field.read(value))
        except BadPayload as error:
            raise error.inside(f"[{index}]") from None


def _fields(descriptor: Any) -> Mapping[str, _Field]:
    known = _FIELDS.get(descriptor.full_name)
    if known is None:
        known = {field.json_name: _field(field) for field in descriptor.fields}
        _FIELDS[descriptor.full_name] = known
    return known


_FIELDS: dict[str, Mapping[str, _Field]] = {}


def _field(field: FieldDescriptor) -> _Field:
    message = field.type == FieldDescriptor.TYPE_MESSAGE
    read = _read_nothing if message else _READERS[field.cpp_type]
    if field.type == FieldDescriptor.TYPE_BYTES:
        read = _read_hex if field.name in _HEX_FIELDS else _read_base64
    return _Field(field.name, field.is_repeated, message, read)


def _read_nothing(value: Any) -> Any:
    return value


def _read_text(value: Any) -> str:
    if not isinstance(value, str):
        raise BadPayload(f": a text is needed, got {_kind(value)}")
    return value if value.isascii() else _SURROGATE.sub("\ufffd", value)


def _read_bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadPayload(f": true or false is needed, got {_kind(value)}")
    return value


def _read_integer(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _INTEGER.match(value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise BadPayload(f": an integer is needed, got {_kind(value)}")


def _read_enum(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadPayload(f": the number of an enum value is needed, got {_kind(value)}")
    return value


def _read_float(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        if value in _NOT_FINITE:
            return _NOT_FINITE[value]
        try:
            return float(value)
        except ValueError:
            pass
    raise BadPayload(f": a number is needed, got {_kind(value)}")


def _read_hex(value: Any) -> bytes:
    if isinstance(value, str):
        try:
            return binascii.unhexlify(value)
        except ValueError:
            pass
    raise BadPayload(f": hexadecimal digits are needed, got {_kind(value)}")


def _read_base64(value: Any) -> bytes:
    if isinstance(value, str):
        standard = value.replace("-", "+").replace("_", "/").rstrip("=")
        try:
            return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
        except ValueError:
            pass
    raise BadPayload(f": base64 is needed, got {_kind(value)}")


_READERS: Final[dict[int, Callable[[Any], Any]]] = {
    FieldDescriptor.CPPTYPE_STRING: _read_text,
    FieldDescriptor.CPPTYPE_BOOL: _read_bool,
    FieldDescriptor.CPPTYPE_INT32: _read_integer,
    FieldDescriptor.CPPTYPE_INT64: _read_integer,
    FieldDescriptor.CPPTYPE_UINT32: _read_integer,
    FieldDescriptor.CPPTYPE_UINT64: _read_integer,
    FieldDescriptor.CPPTYPE_DOUBLE: _read_float,
    FieldDescriptor.CPPTYPE_FLOAT: _read_float,
    FieldDescriptor.CPPTYPE_ENUM: _read_enum,
}


def _kind(value: Any) -> str:
    names: dict[type, str] = {dict: "an object", list: "a list", str: "another text", bool: "true or false"}
    return names.get(type(value), "a number")
