"""Each source of errors, in each signal mode: exactly one error arrives for each raised, none for what is not one."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.otel_errors.matrix.running import run
from tests.otel_errors.matrix.table import APPLICATIONS, MODES, NONE, SPAN, Application, Source
from tests.otel_errors.receiver import Receiver, Record

NEEDS_3_11 = {"task group", "task group, seen in the member's span"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode or "unset")
@pytest.mark.parametrize("application", APPLICATIONS, ids=lambda one: one.name)
def test_one_error_for_each_raised(application: Application, mode: str, receiver: Receiver, tmp_path: Path) -> None:
    extra = {"OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN": mode} if mode else {}
    ran = run(application, receiver.port, tmp_path, extra=extra)
    for one in (*application.sources, *application.expected):
        if one.path:
            assert ran.statuses[one.path][0] == one.status, (one, ran.err)

    by_id: dict[str, list[Record]] = defaultdict(list)
    for record in receiver.errors:
        by_id[record.event_id].append(record)
    sources = [one for one in application.sources if sys.version_info >= (3, 11) or one.name not in NEEDS_3_11]
    problems = []
    told = f"{ran.statuses}\n{ran.err[-3000:]}"
    if "" in by_id:
        problems.append(f"without an event id: {[_short(one) for one in by_id.pop('')]}")
    for source in sources:
        mine = [event_id for event_id, records in by_id.items() if _is_of(records, source)]
        if len(mine) != 1:
            problems.append(f"{source.name}: {len(mine)} errors: {[[_short(r) for r in by_id[i]] for i in mine]}")
        for event_id in mine:
            problems += _wrong(source, by_id.pop(event_id), mode, receiver)
    problems += [f"not expected: {[_short(one) for one in records]}" for records in by_id.values()]
    assert not problems, "\n".join([*problems, told])


def _is_of(records: list[Record], source: Source) -> bool:
    texts = [str(record.attributes.get("exception.stacktrace", "")) for record in records]
    return any(line.rstrip().endswith(f": {source.name}") for text in texts for line in text.splitlines())


def _wrong(source: Source, records: list[Record], mode: str, receiver: Receiver) -> list[str]:
    problems = []
    spans = {(span.trace_id, span.span_id) for span in receiver.spans}
    mechanisms = {record.attributes.get("otel_errors.mechanism") for record in records}
    if source.mechanism not in mechanisms or not mechanisms <= {source.mechanism, "logging"}:
        problems.append(f"mechanism {mechanisms}")
    if source.context == NONE:
        if any(record.trace_id for record in records):
            problems.append("a trace that is not its own")
    elif not all(
        record.trace_id and ((record.trace_id, record.span_id) in spans) == (source.context == SPAN)
        for record in records
    ):
        problems.append(f"context {[(one.trace_id, one.span_id) for one in records]}, not {source.context}")
    signals = {record.signal for record in records}
    wanted = {"": {"span_event"}, "logs": {"log"}, "logs/dup": {"span_event", "log"}}[mode]
    if source.context != SPAN or source.mechanism == "threading":
        wanted = {"log"}
    if not wanted <= signals or (wanted == {"log"} and "span_event" in signals):
        problems.append(f"signals {signals}, not {wanted}")
    severities = {record.severity for record in records if record.signal == "log"}
    if severities and max(severities) != source.severity:
        problems.append(f"severity {severities}, not {source.severity}")
    return [f"{source.name}: {problem}: {[_short(one) for one in records]}" for problem in problems]


def _short(record: Record) -> tuple[object, ...]:
    attributes = record.attributes
    return (
        record.signal,
        record.scope,
        record.span_name,
        attributes.get("otel_errors.mechanism"),
        str(attributes.get("exception.type")),
        str(attributes.get("exception.message"))[:80],
        record.trace_id[:6],
    )
