"""PHP's stack texts: ``Throwable::__toString``, fatal errors in a log, ``getTraceAsString``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from collector_processor.events import ExceptionNode, Frame
from collector_processor.stacktraces import in_app, php_telemetry
from collector_processor.stacktraces.language import MAX_EXCEPTIONS, Language
from collector_processor.stacktraces.position import position
from collector_processor.stacktraces.text import lines, remembered

MAX_FRAMES = 1024
MAX_LINE = 4096

_FRAME = re.compile(r"#[0-9]{1,5} (?:(.{1,1024}?)\(([0-9]{1,9})\)|\[internal function\]): (.*)$")
_MAIN = re.compile(r"#[0-9]{1,5} \{main\}")
_NAME = r"([A-Za-z_][\w\\]{0,255}(?:@anonymous)?)"
_OLD = re.compile(rf"exception '{_NAME}' with message '")
_NEW = re.compile(rf"(?:Uncaught |Next |^){_NAME}(?:: |\Z)")
_LOGGED = re.compile(rf"\[object\] \({_NAME}\(code: [^()]{{0,32}}\): ")
_FOLDED = re.compile(r"\s+(?=Stack trace: |#[0-9]{1,5} \S|Next [A-Z]|thrown in )|(?<=Stack trace:)\s+")
_TRACE = re.compile(r"Stack trace:|\[stacktrace\]")
_BEGINNINGS = ("Next ", "[previous exception]")
_GENERATED = re.compile(r"@anonymous.*|:[0-9]+\}")
_TEMPLATE = re.compile(r"__TwigTemplate_[0-9a-f]{16,128}(?:___[0-9]{1,16})?")
_ANONYMOUS = re.compile(r"@anonymous.*?(?=->|::|\Z)", re.DOTALL)


@remembered
def function_key(function: str) -> str:
    """Without the place that PHP 8.4 puts into a closure's name; a closure alone says no place."""
    name = _GENERATED.sub("}", function) if function.startswith("{") or "{closure:" in function else function
    if name.startswith("__TwigTemplate_"):
        name = _TEMPLATE.sub("__TwigTemplate", name)
    if "@anonymous" in name:  # class@anonymous/srv/app/a.php:12$0->run
        name = _ANONYMOUS.sub("@anonymous", name)
    return "" if name.endswith("{closure}") else name


@remembered
def read_frame(line: str) -> Frame | None:
    start = line.find("#", 0, 256)
    if start < 0 or len(line) > MAX_LINE:
        return None
    found = _FRAME.match(line.strip() if start == 0 else line[start:].rstrip())
    if found is None:
        return None
    function = (
        found[3].partition("(")[0].strip() if not found[3].startswith("{closure") else found[3].rpartition("(")[0]
    )
    row = int(found[2]) if found[2] else None
    return Frame(function or found[3], None, found[1], row, None, found[1] is not None and in_app.php(found[1]))


def looks_like(text: str) -> bool:
    if ("Stack trace: #0 " in text and "(" in text) or php_telemetry.looks_like(text):
        return True
    return "#0 " in text and any(
        _MAIN.search(line[:512]) or (line.lstrip().startswith("#0 ") and read_frame(line)) for line in lines(text)[:512]
    )


def parse(text: str, type_: str) -> Sequence[ExceptionNode]:
    """PHP prints the first cause first and the exception that the record carries last (``Next``); Monolog prints it
    first."""
    if php_telemetry.looks_like(text):
        return php_telemetry.parse(text, type_)
    found: list[tuple[str | None, str | None, list[Frame]]] = []
    header: list[str] = []
    frames: list[Frame] = []
    main = outermost_last = False

    def close() -> None:
        if (frames or main) and len(found) < MAX_EXCEPTIONS:
            name, message, place = _header(header)
            own = list(frames)
            if not own and place is not None:  # raised outside of any function
                own.append(Frame("{main}", None, place[0], place[1], None, in_app.php(place[0])))
            found.append((name, message, own))

    for line in _unfolded(lines(text)):
        frame = read_frame(line)
        begins = line.lstrip().startswith(_BEGINNINGS)
        if frame is not None:
            if len(frames) < MAX_FRAMES:
                frames.append(frame)
        elif begins and (frames or main):
            outermost_last = outermost_last or line.lstrip().startswith("Next ")
            close()
            header, frames, main = [line.lstrip()], [], False
        elif _MAIN.match(line.strip()):
            main = True
        elif not frames and not _TRACE.search(line) and len(header) < MAX_EXCEPTIONS:
            header.append(line)
    close()
    if not any(own for _, _, own in found):
        return []
    nodes: list[ExceptionNode] = []
    for index, (name, message, own) in enumerate(reversed(found) if outermost_last else found):
        outermost = index == 0
        said = name or (type_ or None if outermost else None)
        nodes.append(ExceptionNode(said, message, None if outermost else index - 1, tuple(own)))
    return nodes


def _unfolded(all_lines: list[str]) -> list[str]:
    """The lines of a stack that a page or a log has put into one (``… Stack trace: #0 a.php(3): f() #1 {main}``)."""
    if not any("Stack trace: #0 " in line for line in all_lines):
        return all_lines
    return [part for line in all_lines for part in _FOLDED.split(line[: MAX_LINE * 16])]


def _header(header: list[str]) -> tuple[str | None, str | None, tuple[str, int] | None]:
    """(type, message, where it was thrown) of ``Type: message in file:3``, ``… in file on line 3``, what PHP 5 printed
    (``exception 'T' with message``), and Monolog's ``[object] (T(code: 0): message at file:3)``."""
    said = "\n".join(header).strip()[-MAX_LINE:]
    logged = _LOGGED.search(said)
    if logged is not None:
        front, _, place = said[logged.end() :].removesuffix(")").rpartition(" at ")
        placed = position(place)
        return (logged[1], front, placed[:2]) if front and placed else (logged[1], said[logged.end() :], None)
    front, _, place = said.rpartition(" in ")
    placed = position(place.replace(" on line ", ":")) if front else None
    if placed is not None:
        match = _OLD.search(front)
        if match is not None and front.endswith("'"):
            return match[1], front[match.end() : -1], placed[:2]
        match = _NEW.search(front)
        if match is not None:
            return match[1], front[match.end() :], placed[:2]
    return None, said or None, None


PHP = Language(name="php", aliases=frozenset({"php"}), looks_like=looks_like, parse=parse, function_key=function_key)
