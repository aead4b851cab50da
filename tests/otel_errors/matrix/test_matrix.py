"""Each source of errors, in each signal mode: exactly one error arrives for each raised, none for what is not one."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.otel_errors.matrix.running import run
from tests.otel_errors.matrix.table import APPLICATIONS, MODES, NONE, SPAN, UNSAMPLED, Application, Expected, Source
from tests.otel_errors.receiver import Receiver, Record

pytestmark = pytest.mark.timeout(600)

UNSAMPLED_SPANS = "unsampled"
"""A file of the application with the ids of its spans that do not arrive."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode or "unset")
@pytest.mark.parametrize("application", APPLICATIONS, ids=lambda one: one.name)
def test_one_error_for_each_raised(application: Application, mode: str, receiver: Receiver, tmp_path: Path) -> None:
    extra = {"OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN": mode} if mode else {}
    check(application, application.sources, mode, extra, receiver, tmp_path)


@pytest.mark.parametrize(
    "application",
    [pytest.param(one, id=one.name, marks=[pytest.mark.long] if one.another_server else []) for one in APPLICATIONS],
)
def test_unsampled_and_with_another_list_of_what_is_not_an_error(
    application: Application, receiver: Receiver, tmp_path: Path
) -> None:
    """Nothing is lost of traces that nobody keeps; what is on the list is the application's decision."""
    another = application.another_list
    sources = [
        replace(source, context=UNSAMPLED, mechanism=source.unsampled or source.mechanism)
        if source.context == SPAN
        else source
        for source in (*application.sources, *another.come)
        if source.name not in another.gone
    ]
    extra = {"OTEL_TRACES_SAMPLER": "always_off", "OTEL_ERRORS_NOT_ERRORS": ",".join(another.names)}
    check(application, sources, "", extra, receiver, tmp_path)
    assert not receiver.spans


def check(
    application: Application,
    sources: Iterable[Source],
    mode: str,
    extra: dict[str, str],
    receiver: Receiver,
    home: Path,
) -> None:
    ran = run(application, receiver.port, home, extra=extra)
    requested: tuple[Source | Expected, ...] = (*application.sources, *application.expected)
    for one in requested:
        if one.path:
            assert ran.statuses[one.path][0] == one.status, (one, ran.err)

    by_id: dict[str, list[Record]] = defaultdict(list)
    for record in receiver.errors:
        by_id[record.event_id].append(record)
    unsampled = (home / UNSAMPLED_SPANS).read_text() if (home / UNSAMPLED_SPANS).exists() else ""
    problems = []
    told = f"{ran.statuses}\n{ran.err[-3000:]}"
    if "" in by_id:
        problems.append(f"without an event id: {[_short(one) for one in by_id.pop('')]}")
    for source in sources:
        if sys.version_info < source.since:
            continue
        mine = [event_id for event_id, records in by_id.items() if _is_of(records, source)]
        if len(mine) != 1:
            problems.append(f"{source.name}: {len(mine)} errors: {[[_short(r) for r in by_id[i]] for i in mine]}")
        for event_id in mine:
            problems += _wrong(source, by_id.pop(event_id), mode, receiver, unsampled)
    problems += [f"not expected: {[_short(one) for one in records]}" for records in by_id.values()]
    assert not problems, "\n".join([*problems, told])


def _is_of(records: list[Record], source: Source) -> bool:
    texts = [str(record.attributes.get("exception.stacktrace", "")) for record in records]
    end = f": {source.message or source.name}"
    return any(line.rstrip().endswith(end) for text in texts for line in text.splitlines())


def _wrong(source: Source, records: list[Record], mode: str, receiver: Receiver, unsampled: str) -> list[str]:
    problems = []
    # What a server logs of the same error carries the mechanism of the first sighting.
    mechanisms = {record.attributes.get("otel_errors.mechanism") for record in records}
    if mechanisms != {source.mechanism}:
        problems.append(f"mechanism {mechanisms}, not {source.mechanism}")
    handled = {record.attributes.get("otel_errors.handled") for record in records}
    if handled != {source.handled}:
        problems.append(f"handled {handled}, not {source.handled}")
    # A server's or the application's own log line of the same error is of the span that it is written in.
    ours = [one for one in records if one.signal == "span_event" or one.scope == "otel_errors"] or records
    ids = {(record.trace_id, record.span_id) for record in ours}
    if len({record.trace_id for record in records}) != 1:
        problems.append(f"several traces: {[_short(one) for one in records]}")
    arrived = {(span.trace_id, span.span_id): span.name for span in receiver.spans}
    if source.context == NONE:
        right = ids == {("", "")}
    elif source.context == SPAN:
        right = len(ids) == 1 and all(arrived.get(one, "").endswith(source.span) for one in ids)
    else:
        (one, *more) = ids
        right = not more and all(one) and one not in arrived
        right = right and (not unsampled or source.span != "" or f"{one[0]} {one[1]}\n" in unsampled)
    if not right:
        problems.append(f"context {[(one, arrived.get(one)) for one in ids]}, not {source.context} {source.span}")
    signals = {record.signal for record in records}
    wanted = {"": {"span_event"}, "logs": {"log"}, "logs/dup": {"span_event", "log"}}[mode]
    if source.only_logged:
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
