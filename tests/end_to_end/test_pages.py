"""The pages in a real browser: Chromium without a head, scripts on."""

from __future__ import annotations

import html
import re
import subprocess
from pathlib import Path

import pytest

from collector_processor.demo import BUGS, Issue
from tests.end_to_end.conftest import DemoRun
from tests.programs import required_program

SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=5000",
)


def page_in_browser(url: str, profile: Path) -> str:
    """The document as the browser has it after its scripts ran."""
    done = subprocess.run(
        [
            required_program("chromium", "chromium-browser", "google-chrome"),
            *SWITCHES,
            f"--user-data-dir={profile}",
            "--dump-dom",
            url,
        ],
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
    )
    return done.stdout


def visible(document: str) -> str:
    """The text of a document, without its markup."""
    return html.unescape(re.sub(r"<[^>]*>", "", document))


def issue_of(demo: DemoRun, exception_type: str) -> Issue:
    return next(issue for issue in demo.issues if exception_type in issue.title)


def test_the_list_shows_every_issue(demo: DemoRun, tmp_path: Path) -> None:
    text = visible(page_in_browser(f"{demo.processor.api}/", tmp_path))
    for bug in BUGS:
        assert bug.type in text
        assert bug.service in text


def test_the_detail_page_shows_the_stack(demo: DemoRun, tmp_path: Path) -> None:
    issue = issue_of(demo, "CardDeclined")
    text = visible(page_in_browser(f"{demo.processor.api}/issues/{issue.id}", tmp_path))
    assert "CardDeclined" in text
    assert "charge" in text
    assert "payments.py" in text
    assert str(issue.count) in text


def test_markup_in_a_message_is_text(demo: DemoRun, tmp_path: Path) -> None:
    """The bug's message is a script that would change the title of the page."""
    issue = issue_of(demo, "GreetingNotPrintable")
    for path in ("/", f"/issues/{issue.id}"):
        document = page_in_browser(f"{demo.processor.api}{path}", tmp_path)
        assert "&lt;script&gt;" in document
        assert "<script>" in visible(document)
        assert not re.search(r"<script\b", document), "a script element is in the page"


@pytest.mark.parametrize("path", ["/issues/none", "/f/fp1:00000000000000000000000000000000"])
def test_an_unknown_issue_is_a_page_that_says_so(demo: DemoRun, tmp_path: Path, path: str) -> None:
    assert "404" in page_in_browser(f"{demo.processor.api}{path}", tmp_path)
