"""What is given to an error of ``otel_errors.app_errors``, read so that nothing makes it raise."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Final, cast

from otel_errors import error_codes
from otel_errors.details import Json
from otel_errors.error_codes import ErrorCode
from otel_errors.safe_text import text_of

MAX_FIELDS: Final = 64
LARGEST_NUMBER: Final = 2**53
MAX_TEXTS_OF_A_FIELD: Final = 8
MAX_FIELD_CHARACTERS: Final = 200
MAX_TEXT_CHARACTERS: Final = 500


def entry_of(wanted: object, default: ErrorCode) -> tuple[ErrorCode, int, str]:
    """(entry for the statuses, number, code)"""
    try:
        if isinstance(wanted, ErrorCode):
            return wanted, wanted.number, wanted.code
        if isinstance(wanted, int) and not isinstance(wanted, bool):
            return _of_number(int.__index__(wanted), default)  # HTTPStatus.NOT_FOUND as 404
        if isinstance(wanted, str) and wanted:
            code = text_of(wanted)[0][: error_codes.MAX_CODE_CHARACTERS]
            entry = error_codes.find(code)
            return (default, default.number, code) if entry is None else (entry, entry.number, entry.code)
    except Exception:  # an object that resists being looked at
        pass
    return default, default.number, default.code


def _of_number(number: int, default: ErrorCode) -> tuple[ErrorCode, int, str]:
    entry = error_codes.find(number)
    if entry is not None:
        return entry, entry.number, entry.code
    if not -LARGEST_NUMBER <= number <= LARGEST_NUMBER:
        return default, default.number, default.code
    is_status = 400 <= number <= 599
    near = error_codes.for_status(number) if is_status else default
    return ErrorCode(near.code, number, number if is_status else near.status, near.meaning), number, near.code


def truth(value: object, default: bool) -> bool:
    """``default`` for None and for what is neither true nor false."""
    try:
        return default if value is None else bool(value)
    except Exception:
        return default


def exception_or_none(value: object) -> BaseException | None:
    # Not isinstance, which asks the object itself.
    return cast(BaseException, value) if issubclass(type(value), BaseException) else None


def noted(details: dict[str, Json], key: str, value: object) -> str | None:
    if value is None:
        return None
    text = text_of(value)[0][:MAX_FIELD_CHARACTERS]
    details.setdefault(key, text)
    return text


def fields(given: object) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    try:
        for name, texts in given.items() if isinstance(given, Mapping) else ():
            if len(fields) >= MAX_FIELDS:
                break
            several = texts if isinstance(texts, (list, tuple, set, frozenset)) else (texts,)
            fields[text_of(name)[0][:MAX_FIELD_CHARACTERS]] = [
                text_of(text)[0][:MAX_TEXT_CHARACTERS] for text in list(several)[:MAX_TEXTS_OF_A_FIELD]
            ]
    except Exception:  # a mapping that resists being read
        pass
    return fields


def seconds(value: object) -> float | None:
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 10**9:  # nor NaN
            return value
    except Exception:
        pass
    return None


def header_text(value: object) -> str:
    text = text_of(value)[0][:MAX_TEXT_CHARACTERS]
    return text if text.isascii() and text.isprintable() else ""


def picklable(value: object) -> object:
    try:
        pickle.dumps(value)
    except Exception:
        if isinstance(value, BaseException):
            return RuntimeError(f"{type(value).__name__}: {text_of(value)[0]}")
        return text_of(value)[0]
    return value
