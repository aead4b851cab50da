"""Redaction: what no text may keep. Pure, thread-safe, the same answer for the same text on every machine."""

from __future__ import annotations

from collector_processor.stages.redact.engine import Redaction, Redactor, self_check
from collector_processor.stages.redact.rule import Example, Rule
from collector_processor.stages.redact.rules import DEFAULT_RULES

__all__ = ["DEFAULT_RULES", "Example", "Redaction", "Redactor", "Rule", "self_check"]
