"""What another bug looks like."""

from __future__ import annotations

import re

from collector_processor.events import bare_type
from tests.collector_processor.stages.mutations.same import JVM, Mutation
from tests.collector_processor.stages.mutations.trace import Place, Trace

_MADE = re.compile(
    r"func\d+|d__\d+|b__\d+|c__DisplayClass\w*|c|lambda|anonfun|closure|anonymous|invokeSuspend|invoke|MoveNext|apply\w*"
    r"|block|levels|in|fn|h[0-9a-f]{16}|async|new|as|Kt|each|rescue|MoveNext|int|const|T|S|core|std"
)
_RUNTIME = re.compile(r"panic|Throw|throw|debug\.Stack|recoverer|backtrace|gsignal|abort|sigtramp|runtime\.|erlang[.:]")
_OVERFLOWS = ("RecursionError", "RangeError", "InternalError", "StackOverflowError")


def _renamed(trace: Trace, place: Place | None) -> Trace | None:
    """``place`` in a function of another name."""
    if place is None or "eval at " in place.match[0]:
        return None
    start, end = place.span("function")
    if start < 0 or not place.frame.function:
        return None
    shown = trace.text[start:end]
    head = re.split(r"\(|\[", shown)[0]
    words = [m for m in re.finditer(r"[A-Za-z_][A-Za-z0-9_]*", head) if not _MADE.fullmatch(m[0])]
    if not words:
        return None
    word = words[-1]
    return trace.edited([(start + word.start(), start + word.end(), "refundVoucher")])


def another_raising_function(trace: Trace) -> Trace | None:
    if bare_type(trace.type) in _OVERFLOWS:
        return None
    return _renamed(trace, trace.raising())


def another_library_function(trace: Trace) -> Trace | None:
    """The library's, not what a runtime does with every raise."""
    places = trace.places()
    own = next((n for n, place in enumerate(places) if place.frame.in_app), len(places))
    carried = [n for n, place in enumerate(places[:own]) if _RUNTIME.search(place.said("function"))]
    places = places[carried[-1] + 1 :] if carried else places
    if bare_type(trace.type) in _OVERFLOWS or not places or places[0].frame.in_app:
        return None
    return _renamed(trace, places[0])


def _in_another_file(trace: Trace, place: Place | None) -> Trace | None:
    if place is None or "eval at " in place.match[0] or not place.frame.file:
        return None
    start, end = place.span("file")
    file = trace.text[start:end] if start >= 0 else ""
    base = re.split(r"[/\\]", file)[-1]
    stem = re.match(r"[A-Za-z][A-Za-z0-9_]*", base)
    if stem is None:
        return None
    at = end - len(base)
    edits = [(at, at + stem.end(), "Vouchers" if stem[0][0].isupper() else "vouchers")]
    if trace.language in (*JVM, "dotnet", "elixir"):  # the file is named after what is in it
        begin, stop = place.span("function")
        name = re.sub(rf"(?i)\b{stem[0]}(?=Kt|\b|\$)", "Vouchers", trace.text[begin:stop], count=1)
        edits.append((begin, stop, name))
    return trace.edited(edits)


def another_file(trace: Trace) -> Trace | None:
    if bare_type(trace.type) in _OVERFLOWS:
        return None
    return _in_another_file(trace, trace.raising())


def _retyped(name: str) -> str:
    bare = bare_type(name)
    suffix = next((word for word in ("Error", "Exception") if bare.endswith(word)), "")
    return name[: len(name) - len(bare)] + "QuotaReached" + suffix


def another_type(trace: Trace) -> Trace | None:
    said = trace.nodes[0].type if trace.nodes else None
    if not trace.type or trace.type in ("panic", "fatal error", "Fatal error"):
        return None
    new = trace.but(type=_retyped(trace.type))
    if said and bare_type(said) == bare_type(trace.type):
        new = new.but(text=re.sub(rf"(?<![\w.]){re.escape(said)}(?![\w])", lambda _: _retyped(said), trace.text))
    return new


def another_type_of_cause(trace: Trace) -> Trace | None:
    cause = next((node.type for node in trace.nodes[1:] if node.type), None)
    if cause is None or bare_type(cause) == bare_type(trace.type):
        return None
    return trace.substituted(rf"(?<![\w.]){re.escape(cause)}(?!\w)", _retyped(cause).replace("\\", r"\\"))


def cause_raised_elsewhere(trace: Trace) -> Trace | None:
    place = trace.raising(1)
    if place is None or bare_type(trace.nodes[1].type or "") in _OVERFLOWS:
        return None
    return _renamed(trace, place)


_WITHOUT_CAUSE = {
    "python": r"\A(?s:.*)\n\n(?:The above exception|During handling)[^\n]+\n\n(?=Traceback)",
    "javascript": r" \{\n  \[cause\](?s:.*)\Z",
    "java": r"\nCaused by: (?s:.*)\Z",
    "kotlin": r"\nCaused by: (?s:.*)\Z",
    "scala": r"\nCaused by: (?s:.*)\Z",
    "dotnet": r"\n ---> (?s:.*)--- End of inner exception stack trace ---",
    "php": r"(?<=Uncaught )(?s:.*)\n\nNext |\nCaused by: (?s:.*)\Z",
    "ruby": r"\n(?=/)(?s:.*)\Z",
}


def without_its_cause(trace: Trace) -> Trace | None:
    """A cause that is the same error once more (a retry, a copy that a coroutine made) is none of its own."""
    if len(trace.nodes) < 2 or trace.language not in _WITHOUT_CAUSE or trace.nodes[1].type == trace.nodes[0].type:
        return None
    changed = trace.substituted(_WITHOUT_CAUSE[trace.language], "")
    return changed if changed is not None and len(changed.nodes) < len(trace.nodes) else None


OTHER: dict[str, Mutation] = {
    "another raising function": another_raising_function,
    "another file, class or package": another_file,
    "another library function raising": another_library_function,
    "another type": another_type,
    "another type of cause": another_type_of_cause,
    "the cause raised elsewhere": cause_raised_elsewhere,
    "without its cause": without_its_cause,
}
