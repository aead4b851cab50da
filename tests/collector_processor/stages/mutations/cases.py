"""Twenty pairs of errors: whether they are one bug, what our key says, and what other systems make of them.

What the others do is read from their sources and documents of 2026 (docs/grouping.md says which); only our column is
computed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from collector_processor.stages.fingerprint import group
from tests.collector_processor.stages.mutations.same import generated_names
from tests.collector_processor.stages.mutations.trace import Trace, seeds
from tests.collector_processor.stages.traces import FAILURES, LOOKUP, Call, Failure, library

Issues = Literal[1, 2]
Change = Callable[[Failure], Failure]
PYTHON = FAILURES[0]
OTHERS = ("Sentry", "Bugsink", "Elastic", "Traces Drilldown")


class Case(NamedTuple):
    name: str
    one: Trace
    other: Trace
    right: Issues
    others: tuple[Issues, Issues, Issues, Issues]
    """Sentry, Bugsink, Elastic (of a Java text), Grafana Traces Drilldown."""


def _trace(failure: Failure, source: str = "x()") -> Trace:
    text = failure.text().replace("    x()", f"    {source}")
    return Trace("case", "python", failure.type, failure.message, text)


def _caused(failure: Failure, type_: str = "KeyError", calls: tuple[Call, ...] = LOOKUP) -> Failure:
    return failure.but(cause=Failure("python", type=type_, message="'x'", calls=calls))


def _recursion(depth: int, *, of: tuple[Call, ...], **changes: str) -> Failure:
    return PYTHON.but(calls=(PYTHON.calls[0], *of * depth, *PYTHON.calls[2:]), **changes)


def _stackless(message: str) -> Trace:
    return Trace("case", "python", PYTHON.type, message, "")


SELF = (Call("walk", "/app/shop/tree.py", 4),)
MUTUAL = (Call("even", "/app/shop/tree.py", 4), Call("odd", "/app/shop/tree.py", 9))
RAN_OVER = {"type": "RecursionError", "message": "maximum recursion depth exceeded"}
FAIL = Call("fail", "/app/shop/refusal.py", 3)
TRACER = "/app/.venv/lib/python3.11/site-packages/opentelemetry/instrumentation/wrap.py"
JAVA = next(trace for trace in seeds() if trace.name == "java-lambda")
COMPILED_AGAIN = generated_names(JAVA) or JAVA


def _case(name: str, one: Failure, other: Failure, right: Issues, *others: Issues) -> Case:
    sentry, bugsink, elastic, drilldown = others
    return Case(name, _trace(one), _trace(other), right, (sentry, bugsink, elastic, drilldown))


def _calling(*functions: str) -> Failure:
    return PYTHON.but(calls=PYTHON.calls + library("python", *functions))


CASES = (
    _case("a line was put in above", PYTHON, PYTHON.shifted(7), 1, 1, 1, 1, 1),
    _case("caught one call further in", PYTHON, PYTHON.but(calls=PYTHON.calls[1:]), 1, 2, 1, 1, 1),
    _case(
        "called from another place",
        PYTHON,
        PYTHON.but(calls=(Call("nightly", "/app/shop/jobs.py", 5), *PYTHON.calls[2:])),
        1,
        *(2, 1, 2, 1),
    ),
    _case("another id in the message", PYTHON, PYTHON.but(message="card of order 99 declined"), 1, 1, 1, 1, 1),
    _case(
        "a list in the message is one longer",
        PYTHON.but(message="no stock of apples, pears and plums for this order"),
        PYTHON.but(message="no stock of apples, pears, figs and plums for this order"),
        1,
        *(1, 2, 1, 2),
    ),
    Case(
        "a variable on the raising line renamed",
        _trace(PYTHON, "raise CardDeclined(text)"),
        _trace(PYTHON, "raise CardDeclined(reason)"),
        1,
        (2, 1, 1, 1),
    ),
    _case("a recursion went deeper", _recursion(2, of=SELF), _recursion(9, of=SELF), 1, 1, 1, 2, 1),
    _case(
        "a runaway recursion through two functions, cut elsewhere",
        PYTHON.but(calls=MUTUAL * 20, **RAN_OVER),
        PYTHON.but(calls=(*MUTUAL * 20, MUTUAL[0]), **RAN_OVER),
        1,
        *(2, 1, 2, 1),
    ),
    _case(
        "other inner calls in a new release of a library",
        _calling("charge", "_send", "fail"),
        _calling("charge", "_retry", "_open", "fail"),
        1,
        *(1, 1, 2, 1),
    ),
    _case(
        "with and without OpenTelemetry's wrapper around the library",
        _calling("charge"),
        PYTHON.but(calls=(*PYTHON.calls, Call("instrumented", TRACER, 9), *library("python", "charge"))),
        1,
        *(1, 1, 2, 1),
    ),
    Case("Java compiled again: other numbers of lambdas and proxies", JAVA, COMPILED_AGAIN, 1, (1, 1, 2, 1)),
    _case(
        "a retry failed the same way once more",
        PYTHON.but(cause=PYTHON),
        PYTHON.but(cause=PYTHON.but(cause=PYTHON)),
        1,
        *(2, 1, 2, 1),
    ),
    Case(
        "no stack, another id in the message",
        _stackless("order 4711 of ann@example.com timed out"),
        _stackless("order 99 of bob@example.com timed out"),
        1,
        (1, 1, 2, 1),
    ),
    _case(
        "another function raises the same",
        PYTHON,
        PYTHON.but(calls=(*PYTHON.calls[:2], Call("refund", "/app/shop/payments.py", 42))),
        2,
        *(2, 1, 2, 1),
    ),
    _case(
        "the same function name in another file",
        PYTHON,
        PYTHON.but(calls=(*PYTHON.calls[:2], Call("charge_card", "/app/shop/vouchers.py", 42))),
        2,
        *(2, 1, 2, 1),
    ),
    _case("another type of cause", _caused(PYTHON), _caused(PYTHON, "IndexError"), 2, 2, 1, 2, 1),
    _case(
        "the cause raised elsewhere",
        _caused(PYTHON),
        _caused(PYTHON, calls=(Call("load", "/app/shop/accounts.py", 7),)),
        2,
        *(2, 1, 2, 1),
    ),
    _case("another library function called", _calling("charge", "_send"), _calling("refund", "_send"), 2, 2, 1, 2, 1),
    Case(
        "two raises of one type and message in one function",
        _trace(PYTHON, "raise CardDeclined(first)"),
        _trace(PYTHON.shifted(4), "raise CardDeclined(second)"),
        2,
        (2, 1, 1, 1),
    ),
    _case(
        "a helper that only raises, called from two places",
        PYTHON.but(calls=(*PYTHON.calls[:2], FAIL)),
        PYTHON.but(calls=(*PYTHON.calls, FAIL)),
        2,
        *(2, 1, 2, 1),
    ),
)
NOT_MET = {
    "two raises of one type and message in one function": "a client fingerprint tells them apart",
    "a helper that only raises, called from two places": "`grouping.group_by_caller` tells them apart",
}
"""What our key gets wrong as it comes, and what mends it."""


def issues(case: Case) -> Issues:
    """How many issues our key makes of the two."""
    one, other = (
        group(type=t.type, message=t.message, stacktrace=t.text, language=t.language).fingerprint
        for t in (case.one, case.other)
    )
    return 1 if one == other else 2


def key(case: Case) -> str:
    """What goes into our key of the first."""
    trace = case.one
    said = group(type=trace.type, message=trace.message, stacktrace=trace.text, language=trace.language).components
    return " · ".join(part.partition(": ")[2] for part in said if not part.startswith("left out"))


def table() -> str:
    """Of the document: wrong answers in bold, the sums of right ones below."""
    lines = [
        "| two errors | bugs | our key of the first | otel-errors | " + " | ".join(OTHERS) + " |",
        "|---|---|---|---|" + "---|" * len(OTHERS),
    ]
    right = [0] * (1 + len(OTHERS))
    for case in CASES:
        answers = (issues(case), *case.others)
        right = [count + (answer == case.right) for count, answer in zip(right, answers, strict=True)]
        cells = [str(answer) if answer == case.right else f"**{answer}**" for answer in answers]
        if case.name in NOT_MET:
            cells[0] += f" ({NOT_MET[case.name]})"
        lines.append(f"| {case.name} | {case.right} | `{key(case)}` | {' | '.join(cells)} |")
    lines.append("| right | | | " + " | ".join(f"{count} of {len(CASES)}" for count in right) + " |")
    return "\n".join(lines) + "\n"
