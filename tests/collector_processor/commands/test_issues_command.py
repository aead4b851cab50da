"""``otel-errors issues``: what scripts read, what people see, what a hostile error text cannot do to a terminal."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from collector_processor.commands.issues import app
from collector_processor.issues.store import IssueStore
from collector_processor.terminal import terminal_safe
from tests.collector_processor.issues.errors import error, numbered
from tests.collector_processor.issues.stores import open_store

EVIL = "bad\x1b]0;owned\x07\x1b[31m \u202egnirts\r\n[red]markup[/red]"
KEYS = [
    "id",
    "title",
    "culprit",
    "state",
    "severity",
    "service_name",
    "count",
    "users",
    "first_seen",
    "last_seen",
    "fingerprints",
]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OTEL_ERRORS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


@pytest.fixture
def store(data: Path) -> IssueStore:
    store = open_store(data, "issues")
    now = time.time()
    start = int(now * 1e9) - 60 * 10**9
    events = [
        error(
            1, time_unix_nano=start, title="Quiet", fingerprint="fp1:" + "1" * 32, user="u1", environment="production"
        ),
        error(
            2, time_unix_nano=start + 10**9, title=EVIL, culprit=EVIL, stacktrace=EVIL, severity="high", release=EVIL
        ),
        error(3, time_unix_nano=start + 2 * 10**9, title=EVIL, culprit=EVIL, stacktrace=EVIL, severity="high"),
    ]
    store.apply("q", numbered(events), now=now)
    return store


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def ids() -> list[str]:
    return [json.loads(line)["id"] for line in run("list", "--json").stdout.splitlines()]


def test_json_has_the_keys_of_the_contract(store: IssueStore) -> None:
    result = run("list", "--json")
    assert result.exit_code == 0
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [list(row) for row in rows] == [KEYS, KEYS]
    assert [(row["title"], row["count"], row["users"]) for row in rows] == [(EVIL, 2, 0), ("Quiet", 1, 1)]
    assert rows[1]["fingerprints"] == ["fp1:" + "1" * 32]
    assert rows[0]["last_seen"] > rows[0]["first_seen"] > rows[1]["first_seen"]
    assert rows[0]["last_seen"].endswith("Z")
    assert all(character.isprintable() for line in result.stdout.splitlines() for character in line)


def test_json_lists_every_issue(data: Path) -> None:
    store = open_store(data, "issues")
    store.apply("q", numbered([error(n, fingerprint=f"fp1:{n:032x}") for n in range(620)]))
    assert len(set(ids())) == 620
    assert len(run("list", "--json", "--limit", "7").stdout.splitlines()) == 7
    assert len(run("list", "--limit", "9").stdout.splitlines()) == 10


def test_filters(store: IssueStore) -> None:
    for arguments, number in (
        (("--severity", "high"), 1),
        (("--state", "new", "--state", "resolved"), 2),
        (("--state", "resolved"), 0),
        (("--search", "quiet"), 1),
        (("--service", "stock"), 0),
        (("--environment", "production"), 1),
    ):
        assert len(run("list", "--json", *arguments).stdout.splitlines()) == number, arguments
    assert run("list", "--state", "resolved").stdout == "No issues.\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "--state", "open"), "state: 'open': one of new"),
        (("list", "--sort", "title"), "sort: 'title'"),
        (("list", "--limit", "0"), "limit"),
        (("ignore", "x", "--until", "tomorrow"), "--until"),
        (("ignore", "x", "--until", "2001-01-01"), "future"),
        (("ignore", "x", "--until", "99999w"), "--until"),
        (("ignore", "x", "--events", "0"), "--events"),
        (("nothing",), "nothing"),
    ],
)
def test_usage_errors_exit_2(store: IssueStore, arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_nothing_that_an_error_says_reaches_the_terminal_raw(store: IssueStore) -> None:
    evil = ids()[0]
    for arguments in (("list",), ("show", evil)):
        result = run(*arguments)
        assert result.exit_code == 0
        assert all(character.isprintable() or character == "\n" for character in result.output)
        assert "[red]markup[/red]" in result.output
        assert "\\x1b]0;owned" in result.output


def test_show_tells_everything(store: IssueStore) -> None:
    quiet = ids()[1]
    run("ack", quiet, "--note", "looking")
    output = run("show", quiet).output
    for text in (
        "Quiet",
        "production 1",
        "of 1 users",
        "acknowledged since",
        "looking",
        "card 1 declined",
        "(terminal)",
    ):
        assert text in output, text


def test_acts(store: IssueStore) -> None:
    evil, quiet = ids()
    steps = [
        (("ack", evil), "acknowledged"),
        (("resolve", evil, "--next-release"), "resolved"),
        (("ignore", evil, "--until", "8h"), "ignored"),
        (("ignore", evil, "--until", "2999-12-24"), "ignored"),
        (("ignore", evil, "--events", "100"), "ignored"),
        (("assign", evil, "ada"), "ignored"),
    ]
    for arguments, state in steps:
        result = run(*arguments)
        assert result.exit_code == 0, result.output
        detail = store.queries.get_issue(evil)
        assert detail is not None
        assert detail.issue.state == state
    assert store.queries.get_issue(evil).issue.assignee == "ada"  # type: ignore[union-attr]
    assert run("merge", quiet, evil).exit_code == 0
    assert ids() == [quiet]


def test_what_cannot_be_done_exits_1_with_the_reason(store: IssueStore) -> None:
    evil = ids()[0]
    run("resolve", evil)
    for arguments, said in (
        (("ack", evil), "state: 'resolved': acknowledged needs an issue that is new or regressed"),
        (("ack", "nothing"), "id: 'nothing': no such issue"),
        (("show", "nothing"), "no such issue"),
        (("merge", evil, evil), "itself"),
    ):
        result = run(*arguments)
        assert result.exit_code == 1
        assert said in result.output


def test_without_a_store_it_says_so_and_makes_none(data: Path) -> None:
    result = run("list")
    assert result.exit_code == 1
    assert "no error was counted yet" in result.output
    assert list(data.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "lines", "shown"),
    [
        ("plain Käse \U0001f600", False, "plain Käse \U0001f600"),
        ("a\nb", False, "a\\x0ab"),
        ("a\nb\tc", True, "a\nb\tc"),
        ("\x1b[31m", True, "\\x1b[31m"),
        ("\x9b31m\x7f\x00", True, "\\x9b31m\\x7f\\x00"),
        ("\u202e", True, "\\x202e"),
    ],
)
def test_terminal_safe(text: str, lines: bool, shown: str) -> None:
    assert terminal_safe(text, lines=lines) == shown


@pytest.mark.parametrize("columns", ["60", "80", "200"])
def test_an_id_in_the_table_can_be_copied_at_any_width(
    store: IssueStore, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    shown = run("list").stdout
    for issue_id in ids():
        assert issue_id in shown
    assert all(len(line) <= int(columns) for line in shown.splitlines())


def test_a_file_or_pipe_gets_whole_titles(store: IssueStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS")
    assert "[red]markup[/red]" in run("list").stdout
