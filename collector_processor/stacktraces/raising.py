"""The frames with which a runtime carries out a raise: ``panic``, ``rust_begin_unwind``, ``ThrowHelper``, ``abort``.

They stand above the function that raised, in some versions and build profiles and not in others, and above them stands
what ran because of the raise (Go's deferred functions, the taking of the backtrace). None of them says which bug it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from collector_processor.events import Frame

MAX_RAISING_FRAMES: Final = 64
"""From the raising end that are looked through."""

_JVM = re.compile(
    r"jdk\.internal\.util\.Preconditions\.|java\.util\.Objects\.check|kotlin\.jvm\.internal\.Intrinsics\.throw"
)
_NATIVE = re.compile(
    r"(?:raise|abort|gsignal|_?_?pthread_kill\w*|__GI_\w+|__assert\w*|__cxa_throw|_Unwind_\w+|std::terminate\w*|std::__throw_\w+"
    r"|__gnu_cxx::__verbose_terminate_handler|__cxxabiv1::\w+|__restore_rt|<signal handler called>|__sanitizer_\w+"
    r"|boost::stacktrace::.*|(?:specialized )?_?_?assertionFailure\w*|swift_\w*abort\w*|__exceptionPreprocess"
    r"|objc_exception_throw)(?:\(|\Z)|closure #[0-9]+ in .*assertionFailure"
)
_SIGNAL = re.compile(r"<signal handler called>|__restore_rt\b|_sigtramp\b|__kernel_rt_sigreturn\b")
"""What stands above, of a native program, is its own handler of the crash."""
_FUNCTIONS: Final = {
    "go": re.compile(
        r"(?:panic|runtime\.(?:gopanic|panic\w+|goPanic\w+|sigpanic|throw|fatal\w*|morestack\w*|newstack)"
        r"|runtime/debug\.(?:Stack|PrintStack))\Z"
    ),
    "rust": re.compile(
        r"_?(?:__rustc::)?(?:_?_?rust_begin_unwind|_?_?rust_(?:start_)?panic\w*)|std::panicking::(?!try)|core::panicking::"
        r"|std::panic::(?!catch_unwind|Assert)|std::backtrace|<?std::backtrace_rs|<?backtrace::|core::(?:option|result)::\w+_failed"
        r"|std::sys(?:_common)?::backtrace::(?!__rust_begin)|<?std::sys_common::backtrace::_print|std::process::abort|std::sys::.*abort"
    ),
    "java": _JVM,
    "kotlin": _JVM,
    "scala": _JVM,
    "dotnet": re.compile(
        r"(?:.*\.)?ThrowHelper\.Throw|.*Exception\.Throw\w*\Z|System\.Runtime\.ExceptionServices\.ExceptionDispatchInfo\.Throw\Z"
        r"|System\.Runtime\.CompilerServices\.\w*(?:TaskAwait|ValueTaskAwait)"
    ),
    "dart": re.compile(r"\w*Error\._(?:doT|t)hrow\w*\Z|Error\.(?:_throw|throwWithStackTrace)\Z"),
    "elixir": re.compile(r":?erlang[.:](?:error|raise|throw|exit)/|Kernel\.Utils\.raise"),
    "ruby": re.compile(r"(?:org\.jruby\.RubyKernel\.|Kernel#)raise\Z"),
    "swift": _NATIVE,
    "native": _NATIVE,
}
_NODE_ERRORS = re.compile(r"(?:node:)?internal/errors(?:\.js)?\Z")


def carried_out(frames: Sequence[Frame], language: str, bare_type: str) -> int:
    """How many frames, from the raising end, are the runtime's carrying out of the raise or what ran because of it, or
    the constructor of the exception itself. Never all of them."""
    pattern = _FUNCTIONS.get(language)
    count = 0
    if pattern is not None:
        for index, frame in enumerate(frames[:MAX_RAISING_FRAMES]):
            function = frame.function
            if function is not None and (pattern.match(function) or _SIGNAL.match(function)):
                count = index + 1
            elif frame.in_app and pattern is not _NATIVE:
                break
    elif language == "javascript":
        while count < len(frames) and _makes(frames[count], bare_type):
            count += 1
    if language in ("java", "kotlin", "scala") and bare_type:
        ending = f"{bare_type}.<init>"
        while count < len(frames) and (frames[count].function or "").endswith(ending):
            count += 1
    return count if count < len(frames) else 0


def _makes(frame: Frame, bare_type: str) -> bool:
    """A constructor of an error: what compilers make of ``class X extends Error`` for old engines has a frame."""
    if frame.file is not None and _NODE_ERRORS.match(frame.file):
        return True
    return bool(bare_type) and frame.function in (f"new {bare_type}", f"{bare_type}.constructor")
