"""Whose code a frame is: the application's, or that of its runtime, its libraries and its instrumentation."""

from __future__ import annotations

import re

from collector_processor.stacktraces import well_known
from collector_processor.stacktraces.text import remembered

_INSTRUMENTATION = re.compile(
    r"(?:^|[/\\])(?:opentelemetry|otel_errors|wrapt|@?open-?telemetry)[/\\]|(?:^|[/\\])zone(?:-\w+)?\.js"
    r"|[/\\](?:tracing-)?opentelemetry[-_][\w.\-]+[/\\]|^package:opentelemetry|go\.opentelemetry\.io/"
)
_INSTRUMENTATION_NAME = re.compile(
    r"(?:io\.opentelemetry\.|OpenTelemetry(?:\.|\\|::)|go\.opentelemetry\.io/|<?(?:tracing_)?opentelemetry\w*::"
    r"|:?(?:opentelemetry|otel)_\w+[.:])"
)

_PYTHON_LIBRARY = re.compile(
    r"""
    (?:^|[/\\])(?:site-packages|dist-packages)[/\\]
    | [/\\]lib(?:64)?[/\\](?:python|pypy)-?[0-9]     # /usr/lib/python3.11/json/decoder.py
    | [/\\]lib-python[/\\]
    | (?i:python[0-9.\-]*[/\\]lib[/\\])              # C:\Python311\Lib\json\decoder.py
    | python[0-9]+\.zip[/\\]
    | ^/var/runtime/                                 # the runtime of AWS Lambda
    | ^<(?!(?:string|stdin|console|input)>|ipython-input|doctest)   # <frozen …>, generated code
    """,
    re.VERBOSE,
)

_JAVASCRIPT_LIBRARY = re.compile(
    r"""
    (?:^|[/\\(])node_modules[/\\]
    | ^(?:node:|ext:|deno:|bun:|https://(?:deno\.land/(?:std|x/)|jsr\.io/|esm\.sh/)|internal/|native\b|\[native|wasm:)
    | ^(?:(?:chrome|moz|safari|safari-web|ms-browser)-extension|chrome|resource|debugger):
    | [/\\]~[/\\]                                    # node_modules as webpack 1 wrote it
    | webpack[/\\](?:bootstrap|runtime)
    | (?:^|[/\\])(?:vendors?|polyfills?)[.~\-]
    | ^<anonymous>$
    """,
    re.VERBOSE,
)

# What Node up to 14 called its own modules: a name without a directory.
_NODE_CORE = frozenset(
    word
    for words in (
        "_http_agent _http_client _http_common _http_incoming _http_outgoing _http_server _stream_duplex",
        "_stream_passthrough _stream_readable _stream_transform _stream_wrap _stream_writable _tls_common _tls_wrap",
        "assert async_hooks bootstrap_node buffer child_process cluster crypto dgram dns domain events fs http http2",
        "https inspector module net next_tick node os path perf_hooks process punycode querystring readline repl",
        "stream string_decoder timers tls tty url util v8 vm worker_threads zlib",
    )
    for word in words.split()
)

# Each pattern needs one of its hints: most files are the application's, and to look for a few words is quicker than to
# search with the pattern.
_JAVASCRIPT_HINTS = re.compile(
    "telemetry|otel_errors|zone|node|ext:|deno|bun:|jsr|esm|internal/|native|wasm:|extension:|chrome:|resource:|debugger:|~|webpack|vendor"
    "|polyfill|<"
)


def instrumentation(file: str) -> bool:
    """OpenTelemetry's frames and ours: never part of an error's identity, with or without instrumentation it is the
    same error."""
    return (
        "telemetry" in file or "otel_errors" in file or "wrapt" in file or "zone" in file
    ) and _INSTRUMENTATION.search(file) is not None


def instrumentation_name(function: str) -> bool:
    """As ``instrumentation``, by the qualified name of a function, in languages that print no path."""
    return ("elemetry" in function or "otel_" in function) and _INSTRUMENTATION_NAME.match(function) is not None


def python(file: str) -> bool:
    """Not below site-packages, dist-packages or the standard library, not frozen or generated, not instrumentation."""
    if (
        "ib" in file
        or "-packages" in file
        or "python3" in file
        or "/runtime/" in file
        or file[:1] == "<"
        or "telemetry" in file
        or "otel_errors" in file
        or "wrapt" in file
    ):
        return _python(file)
    return True


@remembered
def _python(file: str) -> bool:
    return not instrumentation(file) and _PYTHON_LIBRARY.search(file) is None


@remembered
def javascript(file: str) -> bool:
    """Not below node_modules, not the engine's or Node's own, no browser extension, no vendor bundle, not
    instrumentation."""
    if _JAVASCRIPT_HINTS.search(file) is not None and (
        instrumentation(file) or _JAVASCRIPT_LIBRARY.search(file) is not None
    ):
        return False
    return not (file.endswith(".js") and "/" not in file and file[:-3] in _NODE_CORE)


_JVM_PROXY = re.compile(r"\$Proxy[0-9]|CGLIB\$\$|\$\$(?:EnhancerBy|FastClassBy)")
_GO_PACKAGE = re.compile(r"[a-z0-9_]+(?:/[a-z0-9_]+)*\.")


@remembered
def jvm(function: str) -> bool:
    """No class of the runtime, of Kotlin's or Scala's library, or of a well-known framework."""
    name = function.rpartition("/")[2] if "/0x" not in function else function.rpartition("//")[2]
    known = well_known.JVM_BY_FIRST.get(name.partition(".")[0])
    return not (known is not None and name.startswith(known)) and not ("$" in name and _JVM_PROXY.search(name))


@remembered
def dotnet(function: str) -> bool:
    """No namespace of the framework or of a well-known package."""
    return not function.startswith(well_known.DOTNET)


def go(file: str, function: str) -> bool:
    """Not below GOROOT, the module cache or vendor/, and of a package that is not the standard library's: its import
    paths have no dot in the first element, and its files lie where Go does."""
    if function == "panic" or function.startswith(("runtime.", "runtime/", "go.opentelemetry.io/", "testing.")):
        return False
    if "/pkg/mod/" in file or "/vendor/" in file or file.startswith("vendor/") or "/usr/local/go/" in file:
        return False
    package = _GO_PACKAGE.match(function)
    return package is None or not file.endswith(f"go/src/{function.partition('.')[0]}/{file.rpartition('/')[2]}")


_RUBY_LIBRARY = re.compile(
    r"/gems/|/lib/ruby/|/rubies/|(?:^|/)vendor/|/\.bundle/|^<internal:|^\S+ \([0-9.]+\S*\) |^\(eval(?! at )"
)
_DART_SDK = ("dart:", "package:flutter/", "package:opentelemetry", "package:stack_trace/", "package:test_api/")
_RUST_LIBRARY = re.compile(r"^/rustc/|/\.cargo/|/registry/src/|/rustlib/|^library/(?:std|core|alloc)/")
_RUST_NAME = re.compile(
    r"^<?(?:std|core|alloc|backtrace|rust_begin_unwind|__rust|_?_libc_|anyhow|eyre|tokio|test::)\b|^_start$|^main$"
)
_NATIVE_SYSTEM = re.compile(
    r"^(?:/usr/(?:lib|include)|/lib|/System/Library|/build/glibc|\.\./(?:sysdeps|csu|nptl|sysdeps))|/lib(?:c|stdc\+\+|pthread)[.-]"
    r"|^lib(?:system|dyld|swift|objc|c\+\+|dispatch)|^(?:UIKit|UIKitCore|CoreFoundation|Foundation|AppKit|GraphicsServices|HIToolbox)$"
    r"|^dyld(?::|$)|/compiler-rt/|/sanitizer_common/|/libfuzzer/"
)
_NATIVE_NAMES = (
    "std::",
    "__libc_",
    "_start",
    "__cxa_",
    "__GI_",
    "raise",
    "abort",
    "__asan",
    "fuzzer::",
    "swift_",
    "objc_",
    "kfun:kotlin.",
    "kfun:kotlinx.",
    "Konan_",
)


@remembered
def ruby(file: str) -> bool:
    """Not of a gem, Ruby itself, ``vendor/`` or ``.bundle/``."""
    return _RUBY_LIBRARY.search(file) is None


@remembered
def php(file: str) -> bool:
    """Not below Composer's ``vendor/`` or a PEAR directory."""
    path = file.replace("\\", "/")
    return not ("/vendor/" in path or path.startswith(("vendor/", "phar://", "/usr/share/php")))


@remembered
def dart(file: str) -> bool:
    """Not of the SDK, Flutter or the package cache."""
    return not file.startswith(_DART_SDK) and ".pub-cache/" not in file


def elixir(application: str, function: str) -> bool:
    """Not of an OTP application or dependency that is well known; Erlang prints no application, its modules tell."""
    return application not in well_known.ELIXIR and not function.startswith(well_known.ERLANG)


def rust(file: str, function: str) -> bool:
    """Not the standard library or a crate of the registry."""
    return _RUST_LIBRARY.search(file) is None and _RUST_NAME.search(function) is None


def native(function: str, file: str) -> bool:
    """Not of a system library, a sanitizer or the runtime."""
    return _NATIVE_SYSTEM.search(file) is None and not function.startswith(_NATIVE_NAMES)
