"""The exceptions that the applications raise: well-behaved, or of the kind that ``MISBEHAVE`` names."""

from __future__ import annotations

import os

KIND = os.environ.get("MISBEHAVE", "")


class Failed(Exception):
    pass


class FailedHard(BaseException):
    pass


class StrRaises(Exception):
    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


class NotText(Exception):
    def __str__(self):
        return 17  # noqa: PLE0307

    def __repr__(self):
        return None


class Recursing(Exception):
    def __str__(self):
        return str(self)

    def __repr__(self):
        return repr(self)


class OutOfMemory(Exception):
    def __str__(self):
        raise MemoryError

    __repr__ = __str__


class StrExits(Exception):
    def __str__(self):
        raise SystemExit(5)

    __repr__ = __str__


class ReprRaises(Exception):
    def __repr__(self):
        raise RuntimeError("no repr")


class CauseRaises(Exception):
    @property
    def __cause__(self):
        raise RuntimeError("no cause")


class TracebackRaises(Exception):
    @property
    def __traceback__(self):
        raise RuntimeError("no traceback")

    @__traceback__.setter
    def __traceback__(self, value):
        pass


CLASSES = {
    "str raises": StrRaises,
    "str exits": StrExits,
    "repr raises": ReprRaises,
    "not text": NotText,
    "recursion": Recursing,
    "no memory": OutOfMemory,
    "memory error": MemoryError,
    "cause raises": CauseRaises,
    "traceback raises": TracebackRaises,
}


def made(name):
    if KIND == "10 MB":
        return Failed(f"{name} {'x' * 10_000_000}")
    if KIND == "cycle":
        first, second = Failed(name), Failed("second")
        first.__cause__, second.__cause__ = second, first
        first.__context__, second.__context__ = second, first
        return first
    return CLASSES.get(KIND, Failed)(name)


def deep(name, base, depth):
    if depth:
        deep(name, base, depth - 1)
    raise FailedHard(name) if base and not KIND else made(name)


def fail(name, base=False):
    if KIND == "at the limit":
        try:
            endless()
        except RecursionError as error:
            raise error from None
    deep(name, base, 0)


def endless():
    endless()
