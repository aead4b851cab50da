"""Reads the policy that the setting ``redaction.policy`` names."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from collector_processor.stages.redact.policy import BadPolicy, Policy, PolicyDocument


def load_policy(file: Path | None, pseudonym_key: bytes) -> Policy:
    """The policy in ``file``, or the one without wishes. Raises ``BadPolicy``, a problem a line: file, key, value and
    what is allowed."""
    if file is None:
        return Policy(PolicyDocument(), pseudonym_key)
    try:
        tree = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadPolicy(f"redaction.policy: {file}: cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise BadPolicy(f"redaction.policy: {file}: not YAML: {error}") from None
    try:
        return Policy(PolicyDocument.model_validate({} if tree is None else tree), pseudonym_key)
    except ValidationError as error:
        lines = []
        for problem in error.errors(include_url=False):
            key = ".".join(map(str, problem["loc"])) or "the file"
            known = problem["type"] != "extra_forbidden"
            said = f"{problem['input']!r:.200}: {problem['msg']}" if known else "no such key"
            lines.append(f"redaction.policy: {file}: {key}: {said}")
        raise BadPolicy("\n".join(lines)) from None
    except BadPolicy as error:
        raise BadPolicy("\n".join(f"redaction.policy: {file}: {line}" for line in str(error).splitlines())) from None
