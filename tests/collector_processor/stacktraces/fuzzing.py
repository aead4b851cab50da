"""Texts that no program prints, made from those that programs print, and what must hold of each.

``python -m tests.collector_processor.stacktraces.fuzzing --executions 1000000`` prints the figures of
``docs/grouping.md``; ``scripts/test --long`` does the same. The seeds are the forms and, where it lies next to the
project, the shared corpus.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from collector_processor.events import bare_type
from collector_processor.stacktraces import BY_NAME, LANGUAGES, StackTrace, parse
from collector_processor.stacktraces.language import MAX_EXCEPTIONS
from collector_processor.stacktraces.site import site
from collector_processor.stacktraces.text import MAX_CHARACTERS
from tests.collector_processor.stacktraces.corpus import records
from tests.collector_processor.stacktraces.forms import WRAPPINGS, forms

SEED = 20261125
LONG = MAX_CHARACTERS + 4096
TOLD = ["", "webjs", "cobol", *(language.name for language in LANGUAGES)]
TOKENS = (
    *(
        "\n",
        "\r",
        "\r\n",
        "\t",
        "\\n",
        "    ",
        ": ",
        " at ",
        "@",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "<",
        ">",
        "'",
        '"',
        "`",
    ),
    *(
        "#0 ",
        "#1 0x1 in ",
        "0# ",
        '  File "',
        '", line 1, in ',
        "  + ",
        "  | ",
        "+-+---------------- 1 ----------------",
    ),
    *("Caused by: ", "\tSuppressed: ", "Wrapped by: ", " ---> ", "<---", "--- End of inner exception stack trace ---"),
    *("[cause]: ", "[errors]: [", "caused by: ", "panic: ", "goroutine 1 [running]:", "created by ", "Stack trace:"),
    *(
        "Next ",
        "{main}",
        "** (",
        ") ",
        '{a,b,1,[{file,"a"},{line,1}]}',
        "<asynchronous suspension>",
        "stack backtrace:",
    ),
    *(
        "thread 'a' panicked at ",
        "in `",
        "in '",
        "from ",
        "0x",
        "\x1b[31m",
        "\ue000message\ue000",
        "\x00",
        "\ud800",
        "💥",
    ),
    *("999999999999", "-1", ":1:2", "٣", "²", "$$Lambda$1/0x1", "eval at ", "wasm-function[1]:0x1", "... 3 more", "|"),
)


class Figures(NamedTuple):
    executions: int
    seconds: float
    characters: int
    with_frames: int
    """Executions whose text still said a frame: how near to real texts they are."""
    failures: list[str]
    """The text of each that raised or broke what must hold."""


def seeds() -> list[str]:
    return [*(form.text for form in forms()), *(record["stacktrace"] for record in records())]


def executed(executions: int, seed: int = SEED) -> Figures:
    """``executions`` texts, parsed. The same for the same seed, seeds and release of Python."""
    chance, texts = random.Random(seed), seeds()
    failures: list[str] = []
    characters = framed = 0
    start = time.process_time()
    for _ in range(executions):
        text = mutated(chance, texts)
        told, type_ = chance.choice(TOLD), chance.choice(("", "E", "shop.Declined", "a.b::C"))
        message = _piece(chance, text) if chance.random() < 0.3 else ""
        characters += len(text)
        try:
            trace = parse(text, told, type=type_, message=message)
            hold(trace, message)
            framed += any(node.frames for node in trace.exceptions)
        except Exception as exc:  # any is a failure: parse is total
            failures.append(f"{exc!r}: told {told!r}, type {type_!r}, message {message!r}: {text!r}")
            if len(failures) == 20:
                break
    return Figures(executions, time.process_time() - start, characters, framed, failures)


def hold(trace: StackTrace, message: str) -> None:
    """What holds of every answer, and of the place that it is grouped by."""
    language = BY_NAME.get(trace.language)
    assert len(trace.exceptions) <= MAX_EXCEPTIONS
    for index, node in enumerate(trace.exceptions):
        assert (node.parent is None) == (index == 0)
        assert node.parent is None or 0 <= node.parent < index
        for frame in node.frames:
            assert frame.function or frame.file
            assert frame.line is None or frame.line >= 0
            assert language is None or isinstance(language.function_key(frame.function or ""), str)
        assert bool(site(node.frames, language, bare_type(node.type or "")).key) == bool(node.frames)
    if trace.exceptions and message:
        assert trace.exceptions[0].message == message


def mutated(chance: random.Random, texts: Sequence[str]) -> str:
    text = chance.choice(texts)
    for _ in range(chance.randint(1, 6)):
        text = chance.choice(_MUTATIONS)(chance, text, texts)
    if chance.random() < 0.0005:  # as long as a text may be, and a little more
        text *= LONG // (len(text) or 1)
    return text[:LONG]


def _piece(chance: random.Random, text: str) -> str:
    start = chance.randrange(len(text) + 1)
    return text[start : start + chance.randint(1, 60)]


def _line(chance: random.Random, texts: Sequence[str]) -> str:
    return chance.choice(chance.choice(texts).split("\n"))


def _cut(chance: random.Random, text: str, texts: Sequence[str]) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] if chance.random() < 0.5 else text[at:]


def _character(chance: random.Random, text: str, texts: Sequence[str]) -> str:
    at = chance.randrange(len(text) + 1)
    return (
        text[:at] + chance.choice((chr(chance.randrange(32, 127)), chr(chance.randrange(0x2FFF)), "")) + text[at + 1 :]
    )


def _token(chance: random.Random, text: str, texts: Sequence[str]) -> str:
    at = chance.randrange(len(text) + 1)
    times = 1 if chance.random() < 0.9 else chance.randrange(200)
    return text[:at] + chance.choice(TOKENS) * times + text[at:]


def _taken_out(chance: random.Random, text: str, texts: Sequence[str]) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + text[at + chance.randint(1, 40) :]


def _foreign_line(chance: random.Random, text: str, texts: Sequence[str]) -> str:
    all_lines = text.split("\n")
    all_lines.insert(chance.randrange(len(all_lines) + 1), _line(chance, texts))
    return "\n".join(all_lines)


def _lines_moved(chance: random.Random, text: str, texts: Sequence[str]) -> str:
    all_lines = text.split("\n")
    one, other = chance.randrange(len(all_lines)), chance.randrange(len(all_lines))
    all_lines[one], all_lines[other] = all_lines[other], all_lines[one]
    if chance.random() < 0.3:
        del all_lines[chance.randrange(len(all_lines))]
    return "\n".join(all_lines)


def _repeated(chance: random.Random, text: str, texts: Sequence[str]) -> str:
    all_lines = text.split("\n")
    at = chance.randrange(len(all_lines))
    all_lines[at:at] = all_lines[at : at + chance.randint(1, 4)] * chance.randint(1, 8)
    return "\n".join(all_lines)


def _joined(chance: random.Random, text: str, texts: Sequence[str]) -> str:
    return chance.choice(("", "\n", "\n\n", ": ")).join([text, chance.choice(texts)])


def _numbers(chance: random.Random, text: str, texts: Sequence[str]) -> str:
    digit = chance.choice("0123456789")
    return text.replace(digit, chance.choice(("", "0", "99999999999", "-", "x")))


def _wrapped(chance: random.Random, text: str, texts: Sequence[str]) -> str:
    return chance.choice(list(WRAPPINGS.values()))(text)


def _indented(chance: random.Random, text: str, texts: Sequence[str]) -> str:
    return text.replace("\n", "\n" + chance.choice(("  ", "\t", "| ", "> ")))


_MUTATIONS: tuple[Callable[[random.Random, str, Sequence[str]], str], ...] = (
    *(_cut, _character, _character, _character, _token, _token, _token, _taken_out, _taken_out, _foreign_line),
    *(_foreign_line, _lines_moved, _lines_moved, _repeated, _joined, _numbers, _wrapped, _indented),
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Parse texts made from the forms and the corpus.")
    parser.add_argument("--executions", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args(arguments)
    figures = executed(asked.executions, asked.seed)
    for failure in figures.failures:
        print(failure)
    print(
        f"{figures.executions:,} executions from {len(seeds())} seeds, {figures.characters / 1e6:,.0f} MB, "
        f"{figures.with_frames / figures.executions:.0%} with frames, {len(figures.failures)} exceptions, "
        f"{figures.seconds:,.0f} CPU seconds"
    )
    return 1 if figures.failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
