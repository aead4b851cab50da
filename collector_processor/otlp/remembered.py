"""A redactor that remembers which short texts it has nothing to take from: most texts of a service come again and
again, and most hold nothing.

Only what is clean is remembered: nothing secret stays in memory longer than its request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from collector_processor.otlp.carrier_redaction import TextRedactor
from collector_processor.stages.redact import Redaction

MAX_TEXT: Final = 256
"""Characters: longer ones are messages and stack texts, which differ each time."""
MAX_TEXTS: Final = 8192
"""Times two: when so many are new, those that were not asked for since are forgotten."""


class Remembered:
    """As the redactor that it is made from, which must answer the same each time. Safe from several threads: what gets
    lost between them is only looked at again."""

    def __init__(self, redactor: TextRedactor) -> None:
        self._redactor = redactor
        self._clean: set[tuple[str, str | None]] = set()
        self._older: set[tuple[str, str | None]] = set()
        self._of_service: dict[int, Remembered] = {id(redactor): self}

    def text(self, text: str, key: str | None = None, /) -> tuple[str, Sequence[Redaction]]:
        """As ``Redactor.text``."""
        if self._is_clean(text, key):
            return text, ()
        clean, findings = self._redactor.text(text, key)
        if not findings and clean == text and len(text) <= MAX_TEXT and not self._redactor.would_take(text, key):
            self._remember((text, key))
        return clean, findings

    def would_take(self, clean: str, key: str | None = None, /) -> Sequence[str]:
        """As ``Redactor.would_take``."""
        return () if self._is_clean(clean, key) else self._redactor.would_take(clean, key)

    def for_service(self, service: str, /) -> Remembered:
        """The same one for all services with the same rules."""
        redactor = self._redactor.for_service(service)
        known = self._of_service.get(id(redactor))
        if known is None:
            known = self._of_service[id(redactor)] = Remembered(redactor)
        return known

    def _is_clean(self, text: str, key: str | None) -> bool:
        one = (text, key)
        if one in self._clean:
            return True
        if one not in self._older:
            return False
        self._remember(one)
        return True

    def _remember(self, one: tuple[str, str | None]) -> None:
        if len(self._clean) >= MAX_TEXTS:
            self._older, self._clean = self._clean, set()
        self._clean.add(one)
