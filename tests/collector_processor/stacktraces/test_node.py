"""Frames equal Node's own call sites, and chains equal the errors themselves, for what Node really prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collector_processor.stacktraces import parse
from tests.collector_processor.stacktraces.programs import node, run_node

pytestmark = pytest.mark.skipif(node() is None, reason="needs Node: no `node` on the PATH")

CALL_SITES = """
const sites = (error) => {
  const old = Error.prepareStackTrace;
  let found;
  Error.prepareStackTrace = (_, callSites) => { found = callSites; return ""; };
  const copy = error(); void copy.stack;
  Error.prepareStackTrace = old;
  return found.map((s) => [s.getFileName(), s.getLineNumber(), s.getColumnNumber()]);
};
class Shape {
  static of() { return new Error("static"); }
  get area() { return new Error("getter"); }
  ["odd name"]() { return new Error("odd"); }
  *each() { yield new Error("generator"); }
}
const cases = [
  () => new Error("plain"),
  () => Shape.of(),
  () => new Shape().area,
  () => new Shape()["odd name"](),
  () => [...new Shape().each()][0],
  () => [1].map(() => new Error("native between"))[0],
  () => { try { JSON.parse("{"); } catch (e) { return e; } },
  () => { try { null.x; } catch (e) { return e; } },
  () => new (class Own extends Error { constructor() { super("two\\nlines"); } })(),
  () => { try { require("fs").readFileSync("/not/there"); } catch (e) { return e; } },
];
const out = [];
for (const make of cases) {
  const text = make().stack;
  out.push({ text, sites: sites(make) });
}
console.log(JSON.stringify(out));
"""


def test_frames_are_the_call_sites(tmp_path: Path) -> None:
    directory = tmp_path / "my (old) project"
    directory.mkdir()
    cases = json.loads(run_node(CALL_SITES, directory))
    assert len(cases) == 10
    called = CALL_SITES.split("\n").index("  const copy = error(); void copy.stack;") + 1
    for case in cases:
        frames = parse(case["text"], "nodejs").exceptions[0].frames
        # `make` runs at two places of the program: the frame that calls it differs, the ones above it do not.
        mine = [[frame.file, frame.line, frame.column] for frame in frames]
        own = [[file or "<anonymous>", line, column] for file, line, column in case["sites"]]
        depth = next(i for i, site in enumerate(own) if site[1] == called and (site[0] or "").endswith("program.js"))
        native = [[file, None, None] if file == "<anonymous>" else [file, line, column] for file, line, column in own]
        assert mine[:depth] == native[:depth], case["text"]
        assert depth >= 1


CHAIN = """
const util = require("util");
function f1() { throw new Error("deep\\nmore") } function f2() { f1() } function f3() { f2() }
function f4() { f3() } function f5() { f4() }
function load() { try { f5() } catch (cause) { throw new TypeError("wrapped", { cause }) } }
function all() {
  try { load() } catch (e) {
    const error = new AggregateError([e, new RangeError("r", { cause: new Error("inner\\nmost") })], "agg");
    error.code = "E1"; error.other = new Error("only a property"); error.list = [1, { a: new Error("p") }];
    throw error;
  }
}
try { all() } catch (e) { console.log(util.inspect(e, { depth: 9 })) }
"""


def test_printed_chains_and_aggregates(tmp_path: Path) -> None:
    text = run_node(CHAIN, tmp_path)
    trace = parse(text, "nodejs", type="AggregateError", message="agg")
    assert [(node.type, node.message, node.parent) for node in trace.exceptions] == [
        ("AggregateError", "agg", None),
        ("TypeError", "wrapped", 0),
        ("Error", "deep\nmore", 1),
        ("RangeError", "r", 0),
        ("Error", "inner\nmost", 3),
    ], text
    functions = [[frame.function for frame in node.frames if frame.in_app] for node in trace.exceptions]
    assert functions[0] == ["all", "Object.<anonymous>"]
    assert functions[1] == ["load", "all", "Object.<anonymous>"]
    assert functions[2] == ["f1", "f2", "f3", "f4", "f5", "load", "all", "Object.<anonymous>"]
    assert functions[3][0] == functions[4][0] == "all"


def test_frames_that_node_leaves_out_are_put_back(tmp_path: Path) -> None:
    source = """
Error.stackTraceLimit = 50;
function wrap() { try { inner() } catch (cause) { throw new Error("outer", { cause }) } }
function inner() { throw new Error("inner") }
function a() { wrap() } function b() { a() } function c() { b() } function d() { c() } function e() { d() }
try { e() } catch (error) {
  console.log(JSON.stringify({ printed: require("util").inspect(error), stack: error.stack }));
}
"""
    result = json.loads(run_node(source, tmp_path))
    assert "lines matching cause stack trace" in result["printed"]
    printed, plain = parse(result["printed"]).exceptions, parse(result["stack"]).exceptions
    assert printed[0].frames == plain[0].frames
    assert printed[1].message == "inner"


def test_an_uncaught_error_as_node_ends_with_it(tmp_path: Path) -> None:
    source = """
const { spawnSync } = require("child_process");
if (process.argv[2] === "fail") {
  function boom() { throw Object.assign(new TypeError("really"), { code: "E_BOOM" }) }
  boom();
}
process.stdout.write(spawnSync(process.execPath, [__filename, "fail"]).stderr.toString());
"""
    trace = parse(run_node(source, tmp_path))
    assert (trace.exceptions[0].type, trace.exceptions[0].message) == ("TypeError", "really")
    assert trace.exceptions[0].frames[0].function == "boom"
    assert len(trace.exceptions) == 1


def test_rejections_without_a_stack_of_their_own(tmp_path: Path) -> None:
    source = """
const fail = (x) => Promise.reject(new TypeError(x));
Promise.any([fail("a"), fail("b\\nb2")]).catch((e) => console.log(require("util").inspect(e)));
"""
    trace = parse(run_node(source, tmp_path))
    assert [(node.type, node.message, node.parent) for node in trace.exceptions] == [
        ("AggregateError", "All promises were rejected", None),
        ("TypeError", "a", 0),
        ("TypeError", "b\nb2", 0),
    ]


def test_overrun_stack(tmp_path: Path) -> None:
    source = """
const even = (n) => odd(n + 1); const odd = (n) => even(n + 1);
try { even(0) } catch (e) { console.log(e.stack) }
"""
    frames = parse(run_node(source, tmp_path)).exceptions[0].frames
    assert {frame.function for frame in frames} == {"even", "odd"}
