"""What programs of each language print: frames to add, and names to compile again."""

from __future__ import annotations

OUTER = {
    "python": (
        '  File "/usr/lib/python3.11/threading.py", line 975, in run\n    self._target()\n'
        '  File "/app/shop/worker.py", line 8, in main\n    loop()\n'
    ),
    "javascript": "\n    at Server.listener (/app/shop/worker.js:8:3)\n    at Server.emit (node:events:518:28)",
    "java": "\n\tat com.shop.Worker.main(Worker.java:8)\n\tat java.base/java.lang.Thread.run(Thread.java:833)",
    "kotlin": "\n\tat com.shop.WorkerKt.main(Worker.kt:8)\n\tat java.base/java.lang.Thread.run(Thread.java:833)",
    "scala": "\n\tat com.shop.Worker$.main(Worker.scala:8)\n\tat java.base/java.lang.Thread.run(Thread.java:833)",
    "go": (
        "\nmain.worker(0xc000012120)\n\t/srv/build/shop/worker.go:8 +0x1d\nruntime.goexit()\n"
        "\t/usr/local/go/src/runtime/asm_amd64.s:1598 +0x1"
    ),
    "ruby": "\n\tfrom /app/shop/worker.rb:8:in `run'\n\tfrom /app/shop/worker.rb:20:in `<main>'",
    "dotnet": (
        "\n   at Shop.Worker.Run(Job job) in /src/Shop/Worker.cs:line 8\n"
        "   at System.Threading.ThreadPoolWorkQueue.Dispatch()"
    ),
    "elixir": (
        "\n    (shop 0.1.0) lib/shop/worker.ex:8: Shop.Worker.run/1"
        "\n    (stdlib 4.2) proc_lib.erl:240: :proc_lib.init_p_do_apply/3"
    ),
    "dart": (
        "\n#90     work (package:shop/worker.dart:8:3)"
        "\n#91     _Timer._runTimers (dart:isolate-patch/timer_impl.dart:398:19)"
    ),
    "rust": (
        "\n  90: shop::worker::run\n             at /build/shop/src/worker.rs:8:5\n  91: std::rt::lang_start\n"
        "             at /rustc/07dca489ac2d933c78d3c5158e3f43beefeb02ce/library/std/src/rt.rs:165:17"
    ),
    "swift": "\n90 [ra] 0x00005581a1b2c3ff run() + 12 in shop at /build/shop/Sources/shop/Worker.swift:8:1",
    "php": "\n#90 /var/www/shop/src/Worker.php(8): Shop\\Worker->run()",
    "native": "",
}
"""Callers of the outermost frame."""

_PACKAGES = "/app/.venv/lib/python3.12/site-packages"
AROUND = {
    "python": f'  File "{_PACKAGES}/opentelemetry/trace/__init__.py", line 587, in use_span\n    yield span\n',
    "javascript": "\n    at execute (/app/node_modules/@opentelemetry/instrumentation/build/src/utils.js:28:18)",
    "java": "\n\tat io.opentelemetry.context.Context.lambda$wrap$1(Context.java:207)",
    "dotnet": "\n   at OpenTelemetry.Trace.Tracer.StartActiveSpan(String name)",
}
"""The tracer's frames as callers."""

INSIDE = {
    "python": (
        f'  File "{_PACKAGES}/opentelemetry/instrumentation/requests/__init__.py", line 210, in instrumented_send\n'
        "    return wrapped(*args)\n"
    ),
    "java": (
        "\tat io.opentelemetry.instrumentation.jdbc.internal.OpenTelemetryStatement.executeQuery"
        "(OpenTelemetryStatement.java:99)\n"
    ),
    "dotnet": "   at OpenTelemetry.Instrumentation.SqlClient.Wrapper.Execute(String name)\n",
    "javascript": (
        "    at Object.patched (/app/node_modules/@opentelemetry/instrumentation-http/build/src/http.js:12:3)\n"
    ),
    "ruby": (
        "\tfrom /usr/local/bundle/gems/opentelemetry-instrumentation-pg-0.27.0/lib/opentelemetry/instrumentation"
        "/pg/patches/connection.rb:56:in `exec'\n"
    ),
}
"""The tracer's frames between the application and the library that raised."""

Substitutions = tuple[tuple[str, str], ...]

GENERATED: dict[str, Substitutions] = {
    "javascript": (
        (r"\.3f2a1b9c\.js", ".77aa01bc.js"),
        (r"~main\.8d7c6b5a", "~main.0a1b2c3d"),
        (r"-Bx3kQz9a\.js", "-Zq81_mPx.js"),
        (r"-Cq81LmZp\.js", "-A0b9c8d7.js"),
        (r"\?v=\d+", "?v=20240611"),
        (r"(?<=\.tsx)\?\w+|(?<=\.ts)\?\w+", "?9f8e"),
    ),
    "java": (
        (r"lambda\$(\w+)\$\d+", r"lambda$\1$12"),
        (r"\$\$Lambda\$\d+/0x\w+", "$$Lambda/0x00007f1234567890"),
        (r"CGLIB\$\$\w+", "CGLIB$$9f8e7d6c"),
        (r"\$Proxy\d+", "$Proxy7"),
        (r"MethodAccessor\d+", "MethodAccessor4"),
    ),
    "kotlin": ((r"\$reserve\$2\.", "$reserve$5."), (r"\$install\$1\$1", "$install$3$2")),
    "scala": ((r"\$anonfun\$(\w+)\$\d+", r"$anonfun$\1$7"),),
    "go": ((r"\.func1(?:\.1)?\(", ".func3("), (r"\[\.\.\.\]", "[go.shape.int]")),
    "ruby": ((r"block \(2 levels\) in ", "block in "),),
    "php": ((r"Shop\\\{closure\}", r"{closure:Shop\\Basket::show():20}"),),
    "dotnet": (
        (r">d__\d+\.", ">d__31."),
        (r"DisplayClass\d+_\d+", "DisplayClass12_1"),
        (r">b__\d+\(", ">b__9("),
        (r"lambda_method\d*\(", "lambda_method77("),
    ),
    "rust": ((r"::h[0-9a-f]{16}\b", "::hfedcba9876543210"), (r"\{\{closure\}\}", "{{closure}}::{{closure}}")),
    "dart": ((r"\.<anonymous closure>", ".<anonymous closure>.<anonymous closure>"),),
    "swift": ((r"closure #1 in", "closure #3 in"),),
    "elixir": (
        (r"anonymous fn/1 in", "anonymous fn/3 in"),
        (r"-each/2-lists\^foreach/1-0-", "-each/2-lists^foreach/1-1-"),
    ),
}
"""What another compilation of the same source calls things."""

VERSIONS: dict[str, Substitutions] = {
    "python": ((r"python3\.\d+", "python3.13"),),
    "javascript": ((r"\(node:internal/process/task_queues:", "(internal/process/task_queues.js:"),),
    "java": (
        (r"\bjava\.base/", ""),
        (r"-5\.3\.23\.jar:5\.3\.23", "-6.1.2.jar:6.1.2"),
        (r"-42\.3\.6\.jar:42\.3\.6", "-42.7.0.jar!/:42.7.0"),
        (r" ~\[classes/:\?\]", " ~[app.jar!/:1.2.0]"),
    ),
    "kotlin": ((r"(?<=ContinuationImpl\.kt:)\d+", "46"),),
    "scala": ((r"(?<=List\.scala:)\d+", "293"),),
    "go": ((r" in goroutine \d+", ""), (r"0x[0-9a-f]+\?", "0x0")),
    "ruby": ((r"retryable-3\.0\.5", "retryable-3.1.0"), (r"ruby/3\.2\.0", "ruby/3.3.0"), (r"\(7\.0\.4\)", "(7.1.2)")),
    "rust": (
        (r"/rustc/\w+/", "/rustc/aaaabbbbccccddddeeeeffff0000111122223333/"),
        (r"tokio-1\.28\.2", "tokio-1.37.0"),
    ),
    "elixir": (
        (r"\((shop) [\d.]+\)", r"(\1 2.14.0)"),
        (r"\(phoenix [\d.]+\)", "(phoenix 1.7.12)"),
        (r"\(elixir [\d.]+\)", "(elixir 1.17.0)"),
    ),
}
"""The runtime, the libraries and the application in another release."""
