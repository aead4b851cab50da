"""The rules of the fingerprint in the languages that print what they know in forms of their own."""

from __future__ import annotations

import pytest

from collector_processor.stacktraces import parse
from collector_processor.stages.fingerprint import group

TEXTS = {
    "java": (
        "com.shop.Boom: declined\n\tat com.shop.Pay.charge(Pay.java:31)\n\tat com.shop.Order.place(Order.java:9)\n"
        "Caused by: java.io.IOException: disk\n\tat com.shop.Disk.read(Disk.java:31)\n\t... 2 more\n"
    ),
    "kotlin": "com.shop.Boom: declined\n\tat com.shop.PayKt.charge(Pay.kt:31)\n\tat com.shop.PayKt.place(Pay.kt:9)\n",
    "scala": "com.shop.Boom: declined\n\tat com.shop.Pay$.charge(Pay.scala:31)\n\tat com.shop.Pay$.main(Pay.scala:9)\n",
    "go": (
        "panic: declined\n\ngoroutine 7 [running]:\nmain.charge(0xc000012120)\n\t/srv/r1/pay.go:31 +0x39\n"
        "main.main()\n\t/srv/r1/main.go:9 +0x1d\nexit status 2\n"
    ),
    "dotnet": (
        "Shop.BoomException: declined ---> System.IO.IOException: disk\n"
        "   at Shop.Disk.Read(String p) in /srv/r1/Disk.cs:line 4\n   --- End of inner exception stack trace ---\n"
        "   at Shop.Pay.charge(Int32 a) in /srv/r1/Pay.cs:line 31\n   at Shop.Order.Place() in /srv/r1/O.cs:line 9\n"
    ),
    "php": (
        "PHP Fatal error:  Uncaught App\\Boom: declined in /srv/r1/src/Pay.php:31\nStack trace:\n"
        "#0 /srv/r1/src/Order.php(31): App\\Pay->charge(1)\n#1 {main}\n  thrown in /srv/r1/src/Pay.php on line 31"
    ),
    "ruby": "/srv/r1/pay.rb:31:in `charge': declined (Boom)\n\tfrom /srv/r1/order.rb:9:in `place'\n",
    "rust": (
        "thread 'main' panicked at src/pay.rs:31:5:\ndeclined\nstack backtrace:\n   0: rust_begin_unwind\n"
        "             at /rustc/abc/library/std/src/panicking.rs:645:5\n   1: shop::charge\n"
        "             at /srv/r1/src/pay.rs:31:5\n   2: shop::main\n             at /srv/r1/src/main.rs:7:3\n"
    ),
    "elixir": (
        "** (RuntimeError) declined\n    (shop 0.1.0) lib/shop/pay.ex:31: Shop.Pay.charge/1\n"
        "    (shop 0.1.0) lib/shop/order.ex:9: Shop.Order.place/2\n    (elixir 1.15.0) lib/enum.ex:987: Enum.each/2\n"
    ),
    "dart": (
        "Unhandled exception:\nBad state: declined\n#0      charge (package:shop/pay.dart:31:5)\n"
        "#1      main (package:shop/main.dart:9:1)\n"
    ),
    "swift": (
        "Fatal error: declined\n0 [ra] 0x00005581a1b2c3d4 charge(_:) + 12 in shop at /srv/r1/Sources/pay.swift:31:5\n"
        "1 [ra] 0x00005581a1b2c3e4 main + 12 in shop at /srv/r1/Sources/main.swift:9:1\n"
    ),
    "native": (
        "ERROR: AddressSanitizer: x\n    #0 0x7f00 in charge(int) /srv/r1/pay.cpp:31:5\n"
        "    #1 0x7f01 in main /srv/r1/main.cpp:9:1\n"
    ),
}


def fingerprint(text: str) -> str:
    return group(type="", message="", stacktrace=text).fingerprint


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_the_language_is_found(language: str) -> None:
    assert parse(TEXTS[language]).language == language


@pytest.mark.parametrize("language", sorted(TEXTS))
@pytest.mark.parametrize(
    ("old", "new"),
    [("31", "44"), ("/srv/r1/", "/opt/r2/x/"), ("\n", "\r\n"), ("\n", "\\n"), ("declined", "declined by bank 4711")],
    ids=["lines", "path", "CRLF", "one line", "message"],
)
def test_same(language: str, old: str, new: str) -> None:
    assert fingerprint(TEXTS[language].replace(old, new)) == fingerprint(TEXTS[language])


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_another_raising_function_is_another_bug(language: str) -> None:
    assert fingerprint(TEXTS[language].replace("charge", "refund")) != fingerprint(TEXTS[language])


@pytest.mark.parametrize("language", ["java", "dotnet"])
def test_another_type_of_cause_is_another_bug(language: str) -> None:
    assert fingerprint(TEXTS[language].replace("IOException", "FormatException")) != fingerprint(TEXTS[language])


GENERATED = {
    "elixir": (
        '    (shop 0.1.0) lib/shop/pay.ex:31: Shop.Pay.charge(%{id: 7, name: "a, (b"}, #PID<0.9.0>)\n',
        "    (shop 0.1.0) lib/shop/pay.ex:31: Shop.Pay.charge/2\n",
    ),
    "elixir with a long state": (
        f"    (shop 0.1.0) lib/shop/pay.ex:31: Shop.Pay.charge({', '.join(map(str, range(900)))})\n",
        f"    (shop 0.1.0) lib/shop/pay.ex:44: Shop.Pay.charge({', '.join(map(str, range(5000)))})\n",
    ),
    "dotnet, F#": (
        "   at Shop.Pay.charge@31-1.Invoke(String s) in /srv/Pay.fs:line 31\n",
        "   at Shop.Pay.charge@44-2.Invoke(String s) in /srv/Pay.fs:line 44\n",
    ),
    "dotnet, a local function": (
        "   at Program.<<Main>$>g__Charge|0_1(String s) in /srv/Program.cs:line 31\n",
        "   at Program.<<<Main>$>g__Charge|0_3>d.MoveNext() in /srv/Program.cs:line 44\n",
    ),
    "dotnet, an async lambda": (
        "   at Shop.Pay.<>c__DisplayClass5_0.<<Charge>b__2>d.MoveNext()\n",
        "   at Shop.Pay.<>c.<<Charge>b__7_1>d.MoveNext()\n",
    ),
    "php, templates": (
        "#0 /srv/r1/storage/framework/views/0f3b0c1d2e3f405162738495a6b7c8d9e0f10213.php(3): Shop\\Pay->charge()\n"
        "#1 /srv/r1/vendor/twig/T.php(5): __TwigTemplate_0123456789abcdef0123456789abcdef->block_body(Array)\n",
        "#0 /opt/r2/storage/framework/views/ffffffffffff405162738495a6b7c8d9e0f10213.php(4): Shop\\Pay->charge()\n"
        "#1 /opt/r2/vendor/twig/T.php(5): __TwigTemplate_ffff456789abcdef0123456789abcdef->block_body(Array)\n",
    ),
    "ruby, a template": (
        "app/views/orders/_row.html.erb:4:in `_app_views_orders__row_html_erb___1234567890123456789_70123'\n",
        "app/views/orders/_row.html.erb:5:in `_app_views_orders__row_html_erb__987654321098765432_70999'\n",
    ),
    "ruby, evaluated code": (
        "(eval at /srv/r1/pay.rb:40):3:in 'Pay#charge'\n\tfrom /srv/r1/order.rb:9:in 'Order#place'\n",
        "(eval at /opt/r2/pay.rb:47):3:in 'Pay#charge'\n\tfrom /opt/r2/order.rb:9:in 'Order#place'\n",
    ),
    "rust, a closure": (
        "stack backtrace:\n   0: shop::charge::{closure#0}\n             at /srv/r1/src/pay.rs:31:5\n",
        "stack backtrace:\n   0: shop::charge::{closure#3}\n             at /srv/r1/src/pay.rs:44:5\n",
    ),
    "native, unsymbolised offsets": (
        "    #0 0x7f00 in charge+0x1cd (shop:x86_64+0x552d)\n    #1 0x7f01 in main+0x2 (shop:x86_64+0x662d)\n",
        "    #0 0x7f08 in charge+0x2ee (shop:x86_64+0x882d)\n    #1 0x7f09 in main+0x4 (shop:x86_64+0x992d)\n",
    ),
    "javascript, Rust in WebAssembly": (
        "    at shop::charge::h0123456789abcdef (https://a.test/b.wasm:wasm-function[81]:0x1f3)\n",
        "    at shop::charge::hfedcba9876543210 (https://a.test/b.wasm:wasm-function[90]:0x2f3)\n",
    ),
}


@pytest.mark.parametrize("name", GENERATED)
def test_what_is_generated_does_not_count(name: str) -> None:
    one, other = (
        group(type="Boom", message="", stacktrace="Boom\n" + text, language=name.partition(",")[0].partition(" ")[0])
        for text in GENERATED[name]
    )
    assert one.fingerprint == other.fingerprint
    assert one.raise_site == other.raise_site != ""


@pytest.mark.parametrize(
    ("language", "frames", "culprit"),
    [
        ("elixir", GENERATED["elixir"][0], "Shop.Pay.charge/2"),
        ("dotnet", GENERATED["dotnet, F#"][0], "Shop.Pay.charge"),
        ("dotnet", "   at Shop.Pay.<Charge>g__Sum|4_0() in /srv/Pay.cs:line 3\n", "Shop.Pay.Charge.Sum"),
        ("ruby", GENERATED["ruby, a template"][0], "orders/_row.html.erb in _app_views_orders__row_html_erb"),
        ("ruby", GENERATED["ruby, evaluated code"][0], "r1/pay.rb in charge"),
        (
            "php",
            "#0 /srv/shop/Cart.php(33): Illuminate\\HandleExceptions->Illuminate\\{closure}(2, 'x')\n#1 {main}",
            "shop/Cart.php",
        ),
        ("javascript", "    at async Object.<anonymous> (/srv/shop/rates.js:14:9)\n", "shop/rates.js"),
        (
            "kotlin",
            "    at 0   shop.kexe   0x10a0b0c0d   kfun:kotlin.Throwable#<init>(kotlin.String?){} + 96 \n"
            "    at 1   shop.kexe   0x10a0b0c1d   kfun:shop#charge(kotlin.Int){} + 120 \n",
            "kfun:shop#charge(kotlin.Int){}",
        ),
    ],
)
def test_culprit(language: str, frames: str, culprit: str) -> None:
    assert group(type="Boom", message="", stacktrace="Boom\n" + frames, language=language).culprit == culprit


def test_an_offset_of_a_dart_program_without_names_tells_no_place() -> None:
    text = (
        "*** *** *** ***\npid: 4711, tid: 4711, name 1.ui\n"
        "    #00 abs 0000007a1e5d21c3 virt 00000000001ea1c3 _kDartIsolateSnapshotInstructions+0x1151c3\n"
    )
    built_again = text.replace("1151c3", "22f00").replace("1ea1c3", "0f7f00")

    def key(stacktrace: str, message: str) -> str:
        return group(type="Boom", message=message, stacktrace=stacktrace, language="dart").fingerprint

    assert key(text, "declined") == key(built_again, "declined") != key(text, "no such card")
