"""What docs/redaction.md tells people to do is done here as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from collector_processor.stages.redact.document import DOCUMENT
from collector_processor.stages.redact.policy_file import load_policy

TEXT = DOCUMENT.read_text(encoding="utf-8")


def test_adding_a_rule_as_the_document_says() -> None:
    example = re.search(r"<!-- example: .*?```python\n(.*?)```", TEXT, re.DOTALL)
    assert example is not None
    exec(compile(example[1], DOCUMENT.name, "exec"), {})


def test_the_policy_of_the_document_works(tmp_path: Path) -> None:
    example = re.search(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert example is not None
    assert set(yaml.safe_load(example[1])) == {"rules", "replace", "allow", "add", "services"}
    file = tmp_path / "policy.yaml"
    file.write_text(example[1], encoding="utf-8")
    policy = load_policy(file, b"k" * 32)
    text = "ann@example.com, support@example.com, ann@example.org, KD-12345678 from 203.0.113.7"
    assert policy.text(text)[0].endswith("], support@example.com, ann@example.org, [customer] from [ip]")
    assert policy.for_service("crm").text("ann@example.com")[0] == "ann@example.com"
    assert policy.for_service("crm").would_take("00:1A:2B:3C:4D:5E") == ("dry_run:mac",)
