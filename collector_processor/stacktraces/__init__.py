"""Stack texts, read: a file a language, and the choice among them.

``parse`` is total: any text in, never an exception out, linear time. A new language is a new file and its line in
``LANGUAGES``.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from collector_processor.events import ExceptionNode
from collector_processor.stacktraces.dart import DART
from collector_processor.stacktraces.dotnet import DOTNET
from collector_processor.stacktraces.elixir import ELIXIR
from collector_processor.stacktraces.go import GO
from collector_processor.stacktraces.java import JAVA
from collector_processor.stacktraces.javascript import JAVASCRIPT
from collector_processor.stacktraces.kotlin import KOTLIN
from collector_processor.stacktraces.language import Language
from collector_processor.stacktraces.native import NATIVE, SWIFT
from collector_processor.stacktraces.php import PHP
from collector_processor.stacktraces.python import PYTHON
from collector_processor.stacktraces.ruby import RUBY
from collector_processor.stacktraces.rust import RUST
from collector_processor.stacktraces.scala import SCALA
from collector_processor.stacktraces.text import (
    bounded,
    cut_message,
    is_plain,
    lines,
    restore_message,
    uncoloured,
    without_log_prefix,
)

__all__ = ["LANGUAGES", "Language", "StackTrace", "language_name", "parse", "parse_cut"]

LANGUAGES: Final[tuple[Language, ...]] = (
    *(PYTHON, RUST, JAVASCRIPT, KOTLIN, SCALA, JAVA, GO, DOTNET, PHP, DART, ELIXIR, RUBY),
    *(SWIFT, NATIVE),
)
"""In the order in which a text without a language is tried."""

_BY_ALIAS: Final = {alias: language for language in LANGUAGES for alias in language.aliases}
BY_NAME: Final = {language.name: language for language in LANGUAGES}


class StackTrace(msgspec.Struct, frozen=True):
    language: str
    """What the text shows, else what the sender said; ``""`` when neither is known."""
    exceptions: tuple[ExceptionNode, ...]
    """Outermost first (the one whose type and message the record carries), then causes and group members depth first.
    Empty for an empty record."""


def language_name(said: str) -> str:
    """``telemetry.sdk.language`` in our words: nodejs and webjs are javascript; what is not known stays as it is, in
    lower case."""
    said = said.strip().lower()
    language = _BY_ALIAS.get(said)
    return language.name if language is not None else said


def parse(text: str, language: str = "", *, type: str = "", message: str = "") -> StackTrace:  # noqa: A002
    """The exceptions of a stack text.

    ``language`` as ``telemetry.sdk.language`` says; the text is looked at when it is empty or when that language's
    reader finds no frame. ``type`` and ``message`` are what the record carries: they fill what the text does not say,
    and tell the message's lines from the stack's.
    """
    cut = cut_message(bounded(text), message)
    trace = parse_cut(cut, language, type=type)
    if cut == text and not message:
        return trace
    return StackTrace(trace.language, restored(trace.exceptions, message))


def parse_cut(text: str, language: str, *, type: str) -> StackTrace:  # noqa: A002
    """``parse`` of a text whose message is already marked (``text.cut_message``): what a cache may keep for every
    message."""
    name = language_name(language)
    if not is_plain(text):  # once: every reader that is asked splits it again
        text = "\n".join(without_log_prefix(lines(uncoloured(text))))
    chosen = _BY_ALIAS.get(name)
    exceptions = tuple(chosen.parse(text, type)) if chosen is not None and text else ()
    if text and not any(node.frames for node in exceptions):
        for other in LANGUAGES:
            if other is not chosen and other.looks_like(text):
                found = tuple(other.parse(text, type))
                if any(node.frames for node in found):
                    name, exceptions = other.name, found
                    break
    if not exceptions:
        exceptions = (headline(text),) if text else (ExceptionNode(),) if type else ()
    if exceptions and type and exceptions[0].type is None:
        first = exceptions[0]
        exceptions = (ExceptionNode(type, first.message, first.parent, first.frames), *exceptions[1:])
    return StackTrace(name, exceptions)


_HEADLINE = re.compile(r"((?:\w+[.:$]{1,2})*\w*(?:Error|Exception|Warning|Timeout|Interrupt|Exit))(?:: (.*))?")


def headline(text: str) -> ExceptionNode:
    """What a text that no reader knows says in its first or last line: ``ValueError: bad``."""
    said = [line for line in text[:4096].split("\n") if line.strip()][:1] + text[-4096:].strip().split("\n")[-1:]
    for line in said:
        match = _HEADLINE.fullmatch(line.strip()[:1024])
        if match is not None:
            return ExceptionNode(match[1], match[2] or "")
    return ExceptionNode()


def restored(exceptions: tuple[ExceptionNode, ...], message: str) -> tuple[ExceptionNode, ...]:
    """The nodes with the record's message in its place; the outermost's is the record's, whatever the text adds to it
    (notes) or prints otherwise (a SyntaxError)."""
    if not exceptions:
        return (ExceptionNode(None, message),) if message else ()
    nodes: list[ExceptionNode] = []
    for node in exceptions:
        text = message if message and not nodes else restore_message(node.message, message)
        nodes.append(node if text is node.message else ExceptionNode(node.type, text, node.parent, node.frames))
    return tuple(nodes)
