"""Scala's stack texts: the JVM's, told by the raising frame's file."""

from __future__ import annotations

from collector_processor.stacktraces import jvm
from collector_processor.stacktraces.language import Language


def looks_like(text: str) -> bool:
    return jvm.looks_like(text) and jvm.raising_file(text).endswith(".scala")


SCALA = Language(
    name="scala",
    aliases=frozenset({"scala"}),
    looks_like=looks_like,
    parse=jvm.parse,
    function_key=jvm.function_key,
)
