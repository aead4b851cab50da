"""The same bug changed as deployments, compilers and loggers change it, and other bugs that look like it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from collector_processor.stages.fingerprint import group
from tests.collector_processor.stacktraces.programs import node, run_node, run_python
from tests.collector_processor.stacktraces.test_corpus import RECORDS
from tests.collector_processor.stacktraces.test_toolchains import failing, needs
from tests.collector_processor.stages.mutations import cases, document
from tests.collector_processor.stages.mutations.measure import Result, is_right, mutated, our_key
from tests.collector_processor.stages.mutations.other import OTHER
from tests.collector_processor.stages.mutations.same import SAME
from tests.collector_processor.stages.mutations.trace import Trace, as_recorded, seeds

RESULTS = mutated(seeds())
BAR = 0.99


def wrong(results: list[Result]) -> list[str]:
    """Those that are not grouped right, with both keys' components."""
    told = []
    for result in results:
        if not is_right(result, our_key):
            keys = [
                group(type=t.type, message=t.message, stacktrace=t.text, language=t.language).components
                for t in (result.trace, result.changed)
            ]
            told.append(f"{result.trace.name}, {result.mutation}: {keys[0]} and {keys[1]}")
    return told


@pytest.mark.parametrize("name", [*SAME, *OTHER])
def test_every_mutation_of_the_seeds(name: str) -> None:
    results = [result for result in RESULTS if result.mutation == name]
    assert results
    assert wrong(results) == []


def test_every_language_has_every_kind() -> None:
    for language in {trace.name.partition("-")[0] for trace in seeds()}:
        kinds = {result.same for result in RESULTS if result.trace.name.startswith(f"{language}-")}
        assert kinds == {True, False}, language


def test_all_harmless_changes_at_once() -> None:
    """What a new release on another host, logged elsewhere, does to one text."""
    names = (
        "lines shifted",
        "generated names",
        "other versions of runtime and libraries",
        "outer frames added",
        "CRLF",
    )
    for trace in seeds():
        changed = trace
        for name in names:
            changed = SAME[name](changed) or changed
        assert our_key(changed) == our_key(trace), trace.name


def test_the_seeds_are_different_bugs() -> None:
    keys = [our_key(trace) for trace in seeds()]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.name)
def test_twenty_cases(case: cases.Case) -> None:
    assert case.one != case.other
    assert (cases.issues(case) == case.right) is (case.name not in cases.NOT_MET)


def test_there_are_twenty() -> None:
    assert len({case.name for case in cases.CASES}) == 20
    assert set(cases.NOT_MET) <= {case.name for case in cases.CASES}


def test_the_document_has_the_tables_of_today() -> None:
    text = document.PATH.read_text(encoding="utf-8")
    assert text == document.whole(text), "run python -m tests.collector_processor.stages.mutations.document"


@pytest.mark.skipif(
    not RECORDS, reason="needs the shared corpus: no shared/corpus/stacktraces.jsonl beside the project"
)
def test_the_corpus() -> None:
    """Real traces of other projects' tests; those whose frames nobody reads are not among them."""
    traces = [
        as_recorded(
            record["id"],
            {"swift-objc": "swift"}.get(record["language"], record["language"]),
            record["stacktrace"],
            record["exception_type"] or "",
            record["exception_message"] or "",
        )
        for record in RECORDS
    ]
    results = mutated(trace for trace in traces if trace.nodes and trace.nodes[0].frames)
    missed = wrong(results)
    assert len(results) > 2000
    assert 1 - len(missed) / len(results) >= BAR, missed


PYTHON = """
class Declined(Exception):
    pass

class Gateway:
    def send(self, order):
        return {}[order]

    def charge(self, order):
        try:
            return self.send(order)
        except KeyError as error:
            raise Declined(f"order {order} was declined") from error

def place(order):
    return [Gateway().charge(line) for line in order]

def main():
    place([4711])
"""
NODE = """
class Gateway {
  send(order) { return JSON.parse("{" + order) }
  charge(order) {
    try { return this.send(order) }
    catch (error) { throw new TypeError(`order ${order} was declined`, { cause: error }) }
  }
}
function place(order) { return order.map((line) => new Gateway().charge(line)) }
try { place([4711]) } catch (error) { console.log(error) }
"""
JAVA = """import java.util.List;
public class Orders {
  static class Declined extends RuntimeException { Declined(String said, Throwable cause) { super(said, cause); } }
  static void send(int order) { List.of().get(order); }
  static void charge(int order) {
    try { send(order); } catch (IndexOutOfBoundsException cause) { throw new Declined("order " + order, cause); }
  }
  public static void main(String[] arguments) { List.of(4711).forEach(order -> charge(order)); }
}
"""
GO = """package main

type Gateway struct{}

func (gateway *Gateway) send(order int) int { return []int{}[order] }

func place(order int) { func() { (&Gateway{}).send(order) }() }

func main() { place(4711) }
"""
RUST = """fn send(order: usize) -> usize { let none: Vec<usize> = Vec::new(); none[order] }
fn place(order: usize) -> usize { (|| send(order))() }
fn main() { println!("{}", place(4711)); }
"""


def holds_for(trace: Trace, *, at_least: int) -> None:
    results = mutated([trace])
    assert {result.same for result in results} == {True, False}
    assert len(results) >= at_least
    assert wrong(results) == []


def test_a_trace_of_this_python(tmp_path: Path) -> None:
    text = run_python(sys.executable, {"orders": PYTHON}, tmp_path)["orders"]["text"].rstrip("\n")
    holds_for(as_recorded("python-real", "python", text), at_least=20)


def test_a_trace_of_node(tmp_path: Path) -> None:
    if node() is None:
        pytest.skip("needs node, which is not installed")
    text = run_node(NODE, tmp_path).rstrip("\n")
    holds_for(as_recorded("javascript-real", "javascript", text), at_least=15)


def test_a_trace_of_java(tmp_path: Path) -> None:
    needs("javac", "java")
    (tmp_path / "Orders.java").write_text(JAVA)
    text = failing(tmp_path, ["javac", "Orders.java"], ["java", "-cp", ".", "Orders"]).rstrip("\n")
    holds_for(as_recorded("java-real", "java", text), at_least=15)


@pytest.mark.long
def test_a_trace_of_go(tmp_path: Path) -> None:
    needs("go")
    (tmp_path / "orders.go").write_text(GO)
    build = ["go", "build", "-o", "orders", "orders.go"]
    text = failing(tmp_path, build, ["./orders"], HOME=str(Path.home()), GOFLAGS="-mod=mod").rstrip("\n")
    holds_for(as_recorded("go-real", "go", text), at_least=15)


@pytest.mark.long
def test_a_trace_of_rust(tmp_path: Path) -> None:
    needs("rustc")
    (tmp_path / "orders.rs").write_text(RUST)
    build = ["rustc", "-g", "orders.rs"]
    text = failing(tmp_path, build, ["./orders"], RUST_BACKTRACE="1", HOME=str(Path.home())).rstrip("\n")
    holds_for(as_recorded("rust-real", "rust", text), at_least=15)
