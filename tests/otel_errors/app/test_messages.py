from __future__ import annotations

from pathlib import Path

import pytest

from otel_errors import error_codes
from otel_errors.messages import LOCALES, Messages
from otel_errors.messages_compile import compile_catalogue, read_catalogue

CATALOGUES = sorted(LOCALES.glob("*/LC_MESSAGES/*.po"))


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.parent.parent.name)
def test_every_language_is_whole_and_compiled(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert file.with_suffix(".mo").read_bytes() == compile_catalogue(text)
    wanted = {
        (context, entry.code)
        for entry in error_codes.catalogue()
        if entry.number < 1000
        for context in ("title", "text")
    }
    wanted |= {("page", name) for name in ("reference", "reference-hint", "field-errors")}
    assert {key for key in read_catalogue(text) if key != ("", "")} == wanted


def test_an_own_catalogue_stands_in_front_and_the_status_fills_in(tmp_path: Path) -> None:
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    source = header + 'msgctxt "text"\nmsgid "SOLD-OUT"\nmsgstr "Ausverkauft."\n'
    (folder / "shop.mo").write_bytes(compile_catalogue(source))
    messages = Messages(directory=tmp_path, domain="shop")
    assert messages.text("SOLD-OUT", 409, messages.language_for("de-AT")) == "Ausverkauft."
    assert messages.text("SOLD-OUT", 409, "en").startswith("This was changed")
    (folder / "broken.mo").write_bytes(b"not a catalogue")
    assert Messages(directory=tmp_path, domain="broken").text("RESOURCE-GONE", 410)
