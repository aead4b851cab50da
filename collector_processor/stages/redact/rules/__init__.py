"""The rules, an area a file, in the order in which they win where two claim the same characters."""

from __future__ import annotations

from collector_processor.stages.redact.rule import Rule
from collector_processor.stages.redact.rules import (
    cards,
    commands,
    credentials,
    email,
    identity,
    keys,
    national_ids,
    personal,
    prose,
    statements,
    tokens,
    tokens_cloud,
    tokens_code,
    tokens_models,
    tokens_services,
    urls,
)

DEFAULT_RULES: tuple[Rule, ...] = (
    *keys.RULES,
    *credentials.RULES,
    *urls.RULES,
    *statements.RULES,
    *prose.RULES,
    *commands.RULES,
    *tokens.RULES,
    *tokens_cloud.RULES,
    *tokens_code.RULES,
    *tokens_models.RULES,
    *tokens_services.RULES,
    *identity.RULES,
    *cards.RULES,
    *email.RULES,
)

POLICY_RULES: tuple[Rule, ...] = (*national_ids.RULES, *personal.RULES)
"""What only a policy switches on."""
