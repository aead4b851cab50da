"""What another occurrence of the same bug looks like."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.collector_processor.stages.mutations import printed
from tests.collector_processor.stages.mutations.trace import Edit, Place, Trace

Mutation = Callable[[Trace], "Trace | None"]
"""A trace changed; None where the change does not exist in its language or for this text."""

JVM = ("java", "kotlin", "scala")
_RELEASE = "/srv/releases/20240101093000"


def lines_shifted(trace: Trace) -> Trace | None:
    """Somebody edited above."""
    edits: list[Edit] = []
    for place in trace.all_places():
        if place.frame.in_app:
            for name, by in (("line", 7), ("column", 3)):
                start, end = place.span(name)
                if start >= 0:
                    edits.append((start, end, str(int(place.said(name)) + by)))
    return trace.edited(edits)


def _moved(trace: Trace, to: Callable[[str], str]) -> Trace | None:
    edits = []
    for place in trace.all_places():
        file = place.said("file")
        new = to(file) if place.frame.in_app else file
        if new != file:
            edits.append((*place.span("file"), new))
    return trace.edited(edits)


def another_release_path(trace: Trace) -> Trace | None:
    """Deployed below a directory with a time stamp."""
    return _moved(trace, lambda file: _RELEASE + file if file.startswith("/") else file)


def another_root(trace: Trace) -> Trace | None:
    """Deployed from another root: ``/app`` or ``/srv/api`` there, ``/home/ci/build-77/work`` here."""
    return _moved(
        trace, lambda file: re.sub(r"^/(?:app|srv/\w+|var/www|build|home/\w+)/", "/home/ci/build-77/work/", file)
    )


def another_system(trace: Trace) -> Trace | None:
    r"""The developer's Windows machine: ``C:\work\…``, or a container when the text is of Windows."""
    if trace.language in ("elixir", "dart", "swift", *JVM):
        return None  # print no path of the machine

    def to(file: str) -> str:
        if file.startswith("/"):
            return "C:\\work\\shop" + file.replace("/", "\\")
        return "/src/" + file[3:].replace("\\", "/") if file[1:3] == ":\\" else file

    return _moved(trace, to)


def relative_paths(trace: Trace) -> Trace | None:
    """Started from its own directory, or built with ``-trimpath``."""
    if trace.language not in ("python", "javascript", "ruby", "go", "native", "rust"):
        return None
    return _moved(trace, lambda file: re.sub(r"^/(?:app|srv/\w+|var/www|build|home/\w+)/", "", file))


def another_host(trace: Trace) -> Trace | None:
    return trace.substituted(r"https?://[\w.\-]+(?::\d+)?/", "https://cdn-7.eu.example:8443/")


def another_address(trace: Trace) -> Trace | None:
    return trace.substituted(r"(?<=0x)[0-9a-f]{6,16}\b", "00007f5e11d0")


def another_process(trace: Trace) -> Trace | None:
    """Its id, its thread, its goroutine."""
    return trace.substituted(r"(?<=goroutine )\d+|(?<===)\d+(?===)|(?<=-exec-)\d+|(?<=thread ')[\w-]+(?=')", "731")


def _outer_end(trace: Trace) -> tuple[Place, int] | None:
    """The outermost frame of the outermost exception and the offset behind it; before it where a brace follows."""
    places = trace.places()
    if not places:
        return None
    last = places[-1]
    if trace.language == "python":
        return last, trace.text.rfind("\n", 0, last.match.start()) + 1
    if last.match[0].rstrip().endswith(("{", ",")):
        return (last, last.match.start() - 1) if len(places) > 1 else None
    return last, last.match.end()


def outer_frames_added(trace: Trace) -> Trace | None:
    """Called from a worker as well."""
    if trace.raising() is None or not trace.raising().frame.in_app:  # type: ignore[union-attr]
        return None  # a frame of the application would then be what the library was called by
    end = _outer_end(trace)
    if end is None:
        return None
    added = printed.OUTER[trace.language]
    if trace.language == "javascript" and end[0].match["place"] is not None:
        added = "\nrun@https://www.shop.example/app/worker.js:8:3"
    if trace.language == "python" and trace.text.startswith("  + "):
        added = "".join(f"  | {line}\n" for line in added.splitlines())
    if trace.language == "php" and end[0].match["place"] is not None:
        added = "\n\tat Shop.Worker.run(Worker.php:8)"
    if trace.language == "native":
        added = (
            "\n 9# run_worker at /build/shop/src/worker.cpp:8"
            if "# " in end[0].match[0][:5]
            else "\n    #9 0x4c3399 in run_worker /build/shop/src/worker.cpp:8:3"
        )
    return trace.edited([(end[1], end[1], added)])


def _kept(trace: Trace, count: int) -> Trace | None:
    """With ``count`` frames of the outermost exception; a stack that ran over shows its cycle."""
    places = trace.places()
    if count >= len(places) or "overflow" in trace.text.lower():
        return None
    return trace.edited([(place.match.start(), place.match.end() + 1, "") for place in places[count:]])


def _own(trace: Trace) -> int:
    """How many frames there are up to the application's nearest to the raise; all without one."""
    places = trace.places()
    return next((n for n, place in enumerate(places, 1) if place.frame.in_app), len(places))


def outer_frames_removed(trace: Trace) -> Trace | None:
    """Caught one call further in."""
    places = trace.places()
    return _kept(trace, max(_own(trace), len(places) - 1))


def caught_where_it_was_raised(trace: Trace) -> Trace | None:
    own = _own(trace)
    raising = trace.raising()
    if raising is not None and re.search(r"<(?:list|set|dict)comp>|<genexpr>|<lambda>", raising.said("function")):
        own += 1
    return _kept(trace, own)


def cut_at_the_outer_end(trace: Trace) -> Trace | None:
    """A length limit, in the middle of a frame."""
    places = trace.places()
    own = _own(trace)
    if own >= len(places):
        return None
    match = places[own].match
    middle = match.start() + len(match[0]) // 2
    if trace.language == "python":
        return (
            None
            if "The above" in trace.text or "During" in trace.text or "+ " in trace.text
            else trace.but(text=trace.text[middle:])
        )
    if len(trace.nodes) > 1 or "overflow" in trace.text.lower():
        return None  # the causes behind the cut would be gone
    return trace.but(text=trace.text[:middle])


def header_twice(trace: Trace) -> Trace | None:
    """An agent that puts ``Type: message`` in front of a text that has it already."""
    if not trace.type or not trace.message:
        return None
    if trace.language == "python":
        if trace.text.startswith("Traceback"):
            return trace.but(text="Traceback (most recent call last):\n" + trace.text)
        return None
    if trace.language == "php" and "\nNext " in trace.text:
        return None  # the text begins with the cause
    return trace.but(text=f"{trace.type}: {trace.message}\n{trace.text}")


def type_in_front(trace: Trace) -> Trace | None:
    """A logger's line above the stack."""
    return None if not _headed(trace) else trace.but(text=f"ERROR Failed to handle the request\n{trace.text}")


def log_prefix(trace: Trace) -> Trace | None:
    """A container's log: every line has its time in front."""
    lines = trace.text.split("\n")
    return trace.but(
        text="\n".join(f"2026-11-24T10:00:{n % 60:02}.{n % 1000:03}Z web.1 | {line}" for n, line in enumerate(lines))
    )


def crlf(trace: Trace) -> Trace | None:
    return trace.but(text=trace.text.replace("\n", "\r\n"))


def one_line(trace: Trace) -> Trace | None:
    """As JSON loggers put a stack into a line."""
    return trace.but(text=trace.text.replace("\n", "\\n").replace("\t", "\\t").replace('"', '\\"'))


def trailing_blanks(trace: Trace) -> Trace | None:
    return trace.but(text="\n" + trace.text + "\n\n")


def deeper_recursion(trace: Trace) -> Trace | None:
    """The raising function called itself a few times more."""
    raising = trace.raising()
    if raising is None or not raising.frame.in_app or raising.match[0].rstrip().endswith("{"):
        return None
    if re.search(r"<(?:list|set|dict)comp>|<genexpr>|<lambda>", raising.said("function")):
        return None
    text = raising.match[0]
    if trace.language == "ruby":
        text = re.sub(r"': .*", "'", text)
        text = text if text.startswith(("\t", "app")) else "\tfrom " + text
    if trace.language == "python":
        at = raising.match.start()
        return trace.edited([(at, at, (text + "\n") * 5)])
    at = raising.match.end()
    return trace.edited([(at, at, ("\n" + text) * 5)])


def generated_names(trace: Trace) -> Trace | None:
    """Compiled again: other numbers of lambdas, proxies, closures, other hashes of bundles and symbols."""
    changed = trace
    for pattern, new in printed.GENERATED.get(trace.language, ()):
        changed = changed.substituted(pattern, new) or changed
    return changed if changed is not trace else None


def other_versions(trace: Trace) -> Trace | None:
    """The runtime, the libraries and the application in another release."""
    changed = trace
    for pattern, new in printed.VERSIONS.get(trace.language, ()):
        changed = changed.substituted(pattern, new) or changed
    return changed if changed is not trace else None


def source_lines_missing(trace: Trace) -> Trace | None:
    """A program without its source, or a Python before 3.11, which prints no markers."""
    if trace.language != "python" or trace.text.startswith("  + "):
        return None
    return trace.substituted(r"\n    [^\n]+", "")


def comprehension_frames(trace: Trace) -> Trace | None:
    """A Python before 3.12: comprehensions have frames of their own."""
    raising = trace.raising() if trace.language == "python" else None
    if raising is None or not raising.frame.in_app or trace.text.startswith("  + "):
        return None
    new = re.sub(r", in [^\n]+", ", in <listcomp>", raising.match[0], count=1)
    at = raising.match.end()
    return trace.edited([(at, at, "\n" + new)])


def ids_in_the_message(trace: Trace) -> Trace | None:
    """Other numbers, addresses and hosts."""
    message = re.sub(r"(?<![\w.])\d+(?![\w.])|(?<=0x)[0-9a-f]{6,}", "90210", trace.message)
    message = re.sub(r"\d+\.\d+\.\d+\.\d+", "172.16.9.1", message)
    return _said(trace, message)


def another_message(trace: Trace) -> Trace | None:
    raising = trace.raising()
    if raising is None or not raising.frame.in_app or not re.search(r"\w{3}", raising.said("function")):
        return None  # then the message counts
    if re.search("<lambda>|anonymous", raising.said("function")) or not raising.frame.file:
        return None
    return _said(trace, "the bank says no: 7f1e2d3c for ann@example.com")


def _said(trace: Trace, message: str) -> Trace | None:
    if not trace.message or message == trace.message:
        return None
    said = trace.nodes[0].type or ""
    header = f"{said}: {trace.message}"
    if header in trace.text:  # a cause's header may quote the message
        return trace.but(message=message, text=trace.text.replace(header, f"{said}: {message}"))
    return trace.but(message=message, text=trace.text.replace(trace.message, message))


def bare_type(trace: Trace) -> Trace | None:
    """A log record says ``CardDeclined`` where the span says ``shop.errors.CardDeclined``."""
    bare = re.split(r"[.:\\$]", trace.type)[-1]
    return trace.but(type=bare) if bare != trace.type and bare else None


def _headed(trace: Trace) -> bool:
    """Whether the text has type and message in front or behind, as the record has them; browsers print frames only."""
    alone = trace.but(type="", message="").nodes
    said = alone[0].type if alone else None
    return said is not None and (
        not trace.type or re.split(r"[.:\\$]", said)[-1] == re.split(r"[.:\\$]", trace.type)[-1]
    )


def no_type_no_message(trace: Trace) -> Trace | None:
    """A log record with nothing but the text."""
    return trace.but(type="", message="") if _headed(trace) else None


def log_handlers_message(trace: Trace) -> Trace | None:
    """A log record says ``str(args[0])`` or the log line where the span says ``str(exc)``; the texts are the same."""
    return trace.but(message="Failed to handle the request") if _headed(trace) else None


def language_not_told(trace: Trace) -> Trace | None:
    return trace.but(language="")


def instrumented(trace: Trace) -> Trace | None:
    """With the tracer's own frames around the application's."""
    at = _outer_end(trace)
    if at is None:
        return None
    if trace.language not in printed.AROUND or trace.text.startswith("  + "):
        return None
    added = printed.AROUND[trace.language]
    if trace.language == "javascript" and at[0].match["place"] is not None:
        return None
    return trace.edited([(at[1], at[1], added)])


def instrumented_inside(trace: Trace) -> Trace | None:
    """The tracer wraps the library that raises."""
    raising = trace.raising()
    places = trace.places()
    if raising is None or not raising.frame.in_app or not places or places[0].match.span() == raising.match.span():
        return None
    wraps = printed.INSIDE.get(trace.language)
    if not wraps or trace.text.startswith("  + ") or raising.match.groupdict().get("place"):
        return None
    at = raising.match.end() + 1 if trace.language == "python" else raising.match.start()
    return trace.edited([(at, at, wraps)])


SAME: dict[str, Mutation] = {
    "lines shifted": lines_shifted,
    "another release path": another_release_path,
    "another root directory": another_root,
    "another operating system": another_system,
    "relative paths": relative_paths,
    "another host": another_host,
    "other addresses": another_address,
    "another process, thread, goroutine": another_process,
    "outer frames added": outer_frames_added,
    "an outer frame removed": outer_frames_removed,
    "caught where it was raised": caught_where_it_was_raised,
    "cut at the outer end": cut_at_the_outer_end,
    "deeper recursion": deeper_recursion,
    "generated names": generated_names,
    "other versions of runtime and libraries": other_versions,
    "instrumented": instrumented,
    "instrumented inside of the library": instrumented_inside,
    "header twice": header_twice,
    "a log line in front": type_in_front,
    "a log prefix on each line": log_prefix,
    "CRLF": crlf,
    "one line": one_line,
    "blank lines around": trailing_blanks,
    "source lines missing": source_lines_missing,
    "comprehensions with frames": comprehension_frames,
    "ids in the message": ids_in_the_message,
    "another message": another_message,
    "the log handler's message": log_handlers_message,
    "bare type": bare_type,
    "no type, no message": no_type_no_message,
    "language not told": language_not_told,
}
