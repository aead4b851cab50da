"""Whose code a frame is: the application's, or that of its runtime, its libraries and its instrumentation."""

from __future__ import annotations

import re

from collector_processor.stacktraces.text import remembered

_INSTRUMENTATION = re.compile(
    r"(?:^|[/\\])(?:opentelemetry|otel_errors|wrapt|@opentelemetry)[/\\]|(?:^|[/\\])zone(?:-\w+)?\.js"
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
    | ^(?:node:|internal/|native\b|\[native|wasm:)
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
_INSTRUMENTATION_HINTS = ("opentelemetry", "otel_errors", "wrapt", "zone")
_PYTHON_HINTS = ("opentelemetry", "otel_errors", "wrapt", "-packages", "lib", "Lib", "python3", "/runtime/", "<")
_JAVASCRIPT_HINTS = (
    *("opentelemetry", "otel_errors", "zone", "node", "internal/", "native", "wasm:", "extension:", "chrome:"),
    *("resource:", "debugger:", "~", "webpack", "vendor", "polyfill", "<"),
)


@remembered
def instrumentation(file: str) -> bool:
    """OpenTelemetry's frames and ours: never part of an error's identity, with or without instrumentation it is the
    same error."""
    return any(hint in file for hint in _INSTRUMENTATION_HINTS) and _INSTRUMENTATION.search(file) is not None


@remembered
def python(file: str) -> bool:
    """Not below site-packages, dist-packages or the standard library, not frozen or generated, not instrumentation."""
    if not any(hint in file for hint in _PYTHON_HINTS):
        return True
    return not instrumentation(file) and _PYTHON_LIBRARY.search(file) is None


@remembered
def javascript(file: str) -> bool:
    """Not below node_modules, not the engine's or Node's own, no browser extension, no vendor bundle, not
    instrumentation."""
    if any(hint in file for hint in _JAVASCRIPT_HINTS) and (
        instrumentation(file) or _JAVASCRIPT_LIBRARY.search(file) is not None
    ):
        return False
    return not (file.endswith(".js") and "/" not in file and file[:-3] in _NODE_CORE)
