"""What the library costs an application: microseconds of CPU an exception, beside three peers in the same run."""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import thread_time
from types import ModuleType
from typing import Any, NamedTuple

import sentry_sdk
from opentelemetry.instrumentation.exceptions import UnhandledExceptionInstrumentor
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.trace import Span, TracerProvider
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from benchmarks.rounds import alternate, ratio
from otel_errors import frame_text
from otel_errors.instrumentor import ErrorsInstrumentor

FRAMES = (15, 60)
BARS = {"plain record_exception": 1.1, "sentry-sdk": 0.5}
OURS = "otel-errors"
RAISED_ELSEWHERE = "otel-errors, raised at a new place"
FIRST_TIME = "otel-errors, no place seen before"
PLAIN = "plain record_exception"
CONTRIB = "contrib's exceptions"
SENTRY = "sentry-sdk"
SENTRY_LEAN = "sentry-sdk without locals and source"


class Nowhere(Transport):
    """Everything of sentry-sdk but the sending, which it does in another thread."""

    def capture_envelope(self, envelope: Envelope) -> None:
        """Drop it."""


class Application(NamedTuple):
    fail: Callable[[], BaseException]
    change: Callable[[], None]
    """Another function raises from now on: a place in the code that was never seen, with callers that were."""


def application(folder: Path, frames: int) -> Application:
    """Code of ``frames`` functions in six files, each with a few local variables, that raises at the end."""
    modules: list[ModuleType] = []
    for number in range(6):
        lines = []
        for level in range(number, frames - 1, 6):
            following = f"modules[{(level + 1) % 6}].level_{level + 1}" if level + 2 < frames else "modules[-1].fail"
            lines += [
                f"def level_{level}(order, customer):",
                f"    total = order['amount'] * {level + 1}",
                "    rows = [total, customer]",
                f"    return {following}(",
                f"        {{**order, 'rows': rows}}, customer + '{level}'",
                "    )",
                "",
            ]
        modules.append(_module(folder / f"shop_{frames}_{number}.py", lines))
    failing = ["def fail(order, customer):", "    raise LookupError(f'no such article: {order[\"id\"]}')"]
    modules.append(_module(folder / f"shop_{frames}_fail.py", failing))
    for module in modules:
        vars(module)["modules"] = modules

    def fail() -> BaseException:
        try:
            modules[0].level_0({"id": 4711, "amount": 7}, "customer")
        except LookupError as error:
            # Without the frame of this function: `frames` are the application's.
            return error.with_traceback(error.__traceback__.tb_next if error.__traceback__ else None)
        raise AssertionError

    def change() -> None:
        _run(folder / f"shop_{frames}_fail.py", modules[-1])

    return Application(fail, change)


def _module(file: Path, lines: list[str]) -> ModuleType:
    file.write_text("\n".join(lines) + "\n")
    module = ModuleType(file.stem)
    _run(file, module)
    return module


def _run(file: Path, module: ModuleType) -> None:
    exec(compile(file.read_text(), str(file), "exec"), vars(module))


class Subjects:
    """Each call makes exceptions and returns the CPU seconds that recording one took, as their median."""

    def __init__(self, application: Application, repeats: int) -> None:
        self._application = application
        self._repeats = repeats
        self._tracer = TracerProvider().get_tracer("benchmark")
        self._logs = LoggerProvider()
        lean: dict[str, Any] = {"include_local_variables": False, "include_source_context": False}
        plain: dict[str, Any] = {}
        self._sentry = {
            name: sentry_sdk.Client(
                dsn="http://key@127.0.0.1:9/1", transport=Nowhere, default_integrations=False, **options
            )
            for name, options in (
                (SENTRY, plain),
                (SENTRY_LEAN, lean),
            )
        }

    def all(self) -> dict[str, Callable[[], float]]:
        return {
            PLAIN: self.plain,
            OURS: self.ours,
            RAISED_ELSEWHERE: self.ours_raised_elsewhere,
            FIRST_TIME: self.ours_first_time,
            CONTRIB: self.contrib,
            SENTRY: lambda: self.sentry(SENTRY),
            SENTRY_LEAN: lambda: self.sentry(SENTRY_LEAN),
        }

    def plain(self) -> float:
        return self._on_spans()

    def ours(self) -> float:
        with _instrumented():
            return self._on_spans()

    def ours_raised_elsewhere(self) -> float:
        with _instrumented():
            return self._on_spans(self._application.change)

    def ours_first_time(self) -> float:
        with _instrumented():
            return self._on_spans(frame_text.forget)

    def contrib(self) -> float:
        theirs: Any = UnhandledExceptionInstrumentor()  # type: ignore[no-untyped-call]
        before, threading.excepthook = threading.excepthook, lambda args: None
        theirs.instrument(logger_provider=self._logs)
        try:
            hook = threading.excepthook
            return self._time(
                lambda error: hook(threading.ExceptHookArgs((type(error), error, error.__traceback__, None)))
            )
        finally:
            theirs.uninstrument()
            threading.excepthook = before

    def sentry(self, name: str) -> float:
        with sentry_sdk.isolation_scope() as scope:
            scope.set_client(self._sentry[name])
            return self._time(lambda error: sentry_sdk.capture_exception(error))

    def _on_spans(self, before: Callable[[], None] = lambda: None) -> float:
        # As instrumentations do it: record_exception of a span that records. A new span each time, as in a request.
        span: list[Span] = []

        def prepare() -> None:
            before()
            span[:] = [self._tracer.start_span("request")]  # type: ignore[list-item]

        return self._time(lambda error: span[0].record_exception(error), prepare)

    def _time(self, record: Callable[[BaseException], object], prepare: Callable[[], None] = lambda: None) -> float:
        """``prepare``: before each exception is raised."""
        spent = []
        for _ in range(self._repeats):
            prepare()
            error = self._application.fail()
            began = thread_time()
            record(error)
            spent.append(thread_time() - began)
            error.__traceback__ = None
        return statistics.median(spent)


@contextmanager
def _instrumented() -> Iterator[None]:
    instrumentor = ErrorsInstrumentor()
    instrumentor.instrument()
    try:
        yield
    finally:
        instrumentor.uninstrument()


def per_exception(rounds: int, repeats: int) -> bool:
    """Print the table; True when the bars are met."""
    met = True
    for frames in FRAMES:
        with TemporaryDirectory() as folder:
            results = alternate(Subjects(application(Path(folder), frames), repeats).all(), rounds=rounds)
        print(f"\n{frames} frames: median of {rounds} alternating runs of {repeats} exceptions")
        print(f"{'':40}{'µs':>8}{'otel-errors is':>18}")
        for name, values in results.items():
            share = ratio(results, OURS, name)
            bar = BARS.get(name)
            verdict = "" if bar is None else f"  bar {bar}: {'met' if share <= bar else 'NOT MET'}"
            met = met and (bar is None or share <= bar)
            print(f"{name:40}{statistics.median(values) * 1e6:8.1f}{share:16.2f} x{verdict}")
    return met


def main(arguments: list[str]) -> int:
    """0 when every bar is met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks capture", description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--repeats", type=int, default=20, help="exceptions of each subject a round")
    options = parser.parse_args(arguments)
    return 0 if per_exception(options.rounds, options.repeats) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
