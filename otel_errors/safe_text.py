"""Text out of objects that were not made for it: a raising ``__str__``, a subclass of ``str`` with ideas, lone
surrogates."""

from __future__ import annotations

UNPRINTABLE = "<unprintable>"
MAX_TYPE_CHARACTERS = 512
CUT = "…"


def text_of(value: object, limit: int | None = None) -> tuple[str, bool]:
    """The text of ``value``, valid Unicode, of ``limit`` characters at most and a mark of the cut, and whether its
    ``str()`` worked. Never raises."""
    try:
        text = value if type(value) is str else str.__str__(str(value))
    except:  # noqa: E722 - as in the standard library's traceback module: whatever __str__ raises belongs to the exception that is described
        return f"{UNPRINTABLE[:-1]} {type(value).__name__} object>", False
    return encodable(text if limit is None else cut(text, limit)), True


def cut(text: str, limit: int) -> str:
    """No work that grows with what is cut off: some exceptions carry the whole file that they could not read."""
    return text if len(text) <= limit else text[:limit] + CUT


def encodable(text: str) -> str:
    """``text`` without lone surrogates. One of them fails the protobuf encoding of a whole batch, other people's
    telemetry included."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")


def type_name(value: object) -> str:
    """Of its class, with the module unless that is ``builtins``. Never raises."""
    kind = type(value)
    try:
        module, name = kind.__module__, kind.__qualname__
    except Exception:  # a metaclass can do that
        module, name = "", type.__dict__["__name__"].__get__(kind)
    name = text_of(name)[0]
    if isinstance(module, str) and module and module != "builtins":
        name = f"{text_of(module)[0]}.{name}"
    return name[:MAX_TYPE_CHARACTERS]
