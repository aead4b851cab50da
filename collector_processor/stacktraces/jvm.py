"""What Java, Kotlin and Scala print: ``Throwable.printStackTrace``, with causes, suppressed exceptions and what log
frameworks add to a line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from collector_processor.events import ExceptionNode, Frame
from collector_processor.stacktraces import in_app
from collector_processor.stacktraces.header import split_header
from collector_processor.stacktraces.language import MAX_EXCEPTIONS
from collector_processor.stacktraces.text import lines, remembered

MAX_FRAMES = 1024
MAX_LINE = 2048

_LOCATED = re.compile(r"\(([^()]{0,256})\)(?: ~?\[[^\]]{0,256}\])?(?: [^(]{0,64})?$")
"""From the parenthesis to the end: the location, and the archive that Logback and Log4j put behind it."""
_PLAIN = re.compile(r"\tat ([\w$]+\.[\w.$<>]{1,512})\(([\w$\-]{1,128}\.(?:java|kt|scala)):([0-9]{1,9})\)\Z")
"""What most lines are: the rest of the reader says the same of it, in more steps."""
_LOCATION = re.compile(r"(?:[\w.\-]+@[\w.+\-]+/)?(.*?)(?::(-?[0-9]{1,9}))?")
"""A thread dump prints the module here."""
_MODULE = re.compile(r"(?:[\w.@+\-]*/){1,2}(?!0x|[0-9])")
"""The module and class loader that Java 9 prints in front: another release of Java, another prefix."""
_FILES = (".java", ".kt", ".scala", ".groovy", ".clj", "Native Method", "Unknown Source")
_LINK = re.compile(r"([ \t]*)(Caused by|Suppressed|Wrapped by): ")
_THREAD = re.compile(r'Exception in thread "[^"]{0,256}" ')
_GENERATED = re.compile(
    r"\$\$(?:Lambda|EnhancerBy|FastClassBy|SpringCGLIB|Proxy)[\w$/]*|\$Proxy[0-9]+|(?<=MethodAccessor)[0-9]+"
    r"|(?<=ConstructorAccessor)[0-9]+|/0x[0-9a-f]+|\$[0-9]+(?![\w])|(?<=\$)[0-9]+(?=[.$])"
    r"|\$(?:HibernateProxy|ByteBuddy|MockitoMock|auxiliary)\$\w+|(?<=_closure)[0-9]+|(?<=__)[0-9]{3,}"
)
_LAMBDA = re.compile(r"lambda\$(\w+)\$[0-9]+$|\$anonfun\$(\w+?)(?:\$[0-9]+)?$")


@remembered
def function_key(function: str) -> str:
    """Without the module, the numbers of lambdas and anonymous classes, and the names of generated proxies."""
    name = function.rpartition("/")[2] if "/0x" not in function else function
    lambda_ = _LAMBDA.search(name)
    if lambda_ is not None:
        name = name[: lambda_.start()] + (lambda_[1] or lambda_[2] or "")
    return _GENERATED.sub("", name)


@remembered
def read_frame(line: str) -> Frame | None:
    """``at [module/]Class.method(File.java:12)``; None for anything else."""
    plain = _PLAIN.match(line)
    if plain is not None:
        function, file, number = plain.groups()
        return Frame(function, None, file, int(number), None, in_app.jvm(function))
    if len(line) > MAX_LINE or "at " not in line or ")" not in line:
        return None
    called = _called(line.rstrip())
    if called is None or "." not in called[0] or called[0].startswith(("async ", "eval ")):
        return None
    function, inside = called
    location = _LOCATION.fullmatch(inside)
    if location is None or ":" in location[1] or ("/" in location[1] and not location[1].endswith((".java", ".kt"))):
        return None
    function = (_MODULE.sub("", function, count=1) if _MODULE.match(function) else function).strip()
    if not function:
        return None
    row = int(location[2]) if location[2] and not location[2].startswith("-") else None
    return Frame(function, None, location[1] or None, row, None, in_app.jvm(function))


def _called(line: str) -> tuple[str, str] | None:
    """(what is called, what stands in its parentheses), whatever a log puts in front of ``at``. A name may hold blanks
    and parentheses, Kotlin's do. Behind a log's prefix it begins behind the first ``at`` since the last tab or
    parenthesis."""
    head = len(line) - len(line.lstrip())
    head = head + 3 if line.startswith("at ", head) else 0
    reach = 584 if "]" in line[-66:] else 323  # the longest that _LOCATED takes, with an archive and without
    opening = line.find("(", max(0, len(line) - reach))
    while opening >= 0:
        located = _LOCATED.match(line, opening)
        if located is not None and head:
            return line[head:opening], located[1]
        if located is not None:
            start = max(line.rfind(mark, 0, opening) for mark in "()\t") + 1
            before = line[start:opening]
            if before.startswith("at ") and line[start - 1 : start] in ("", "\t"):
                return before[3:], located[1]
            name = before.partition(" at ")[2]
            if name:
                return name, located[1]
        opening = line.find("(", opening + 1)
    return None


@lru_cache(maxsize=4)  # Kotlin, Scala and Java ask in turn
def raising_file(text: str) -> str:
    """The file of the frame nearest to the raise whose file says a language of the JVM; ``""`` without."""
    for line in text.split("\n", 256)[:256]:
        frame = read_frame(line)
        if frame is not None and frame.file and frame.file.endswith(_FILES):
            return frame.file
    return ""


def looks_like(text: str) -> bool:
    return raising_file(text) != ""


def parse(text: str, type_: str) -> Sequence[ExceptionNode]:
    """Suppressed exceptions are members of the one they stand in, by indentation."""
    headers: list[list[str]] = [[]]
    frames: list[list[Frame]] = [[]]
    parents: list[int | None] = [None]
    indents = [-1]
    full = wrapped = threaded = False
    for line in lines(text):
        link = _LINK.match(line)
        if link is not None and line.startswith("[CIRCULAR REFERENCE", link.end()):
            continue
        if link is not None and (frames[0] or headers[0]):
            full = len(headers) >= MAX_EXCEPTIONS
            if full:
                continue
            indent = len(link[1].expandtabs(8))
            member = link[2] == "Suppressed"
            wrapped = link[2] == "Wrapped by" and (wrapped or len(headers) == 1)
            parent = next(
                (i for i in range(len(indents) - 1, 0, -1) if indents[i] < indent + (not member)),
                0,
            )
            headers.append([line[link.end() :]])
            frames.append([])
            parents.append(parent)
            indents.append(indent)
            continue
        frame = read_frame(line)
        if full:
            continue
        if frame is not None:
            if len(frames[-1]) < MAX_FRAMES:
                frames[-1].append(frame)
        elif not frames[-1] and not line.startswith("   java.lang.Thread.State: "):
            thread = _THREAD.search(line[:MAX_LINE])
            threaded = threaded or thread is not None
            headers[-1].append(line[thread.end() if thread is not None else 0 : MAX_LINE])
    if not any(frames):
        return []
    if wrapped:  # the root cause stands first
        headers, frames, parents = (
            headers[::-1],
            frames[::-1],
            [index - 1 if index else None for index in range(len(headers))],
        )
    nodes: list[ExceptionNode] = []
    for header, own, parent_ in zip(headers, frames, parents, strict=True):
        name, message = split_header(header, type_ if parent_ is None else "")
        if name is None and header and (parent_ is not None or threaded):  # the type stands there, whatever its name
            said, _, message = "\n".join(header).strip().partition(": ")
            name = said or None
        nodes.append(ExceptionNode(name, message, parent_, tuple(own)))
    return nodes
