"""gettext's ``.po`` files, which people write, to ``.mo`` files, which programs read: ``python -m
otel_errors.messages_compile [--check] FILE.po …``.

For the few entries of a catalogue of messages (context, id, text; no plurals). Where gettext's own ``msgfmt`` or Babel
is at hand, they do the same and more.
"""

from __future__ import annotations

import ast
import re
import struct
import sys
from pathlib import Path
from typing import Final

__all__ = ["BadCatalogue", "compile_catalogue", "read_catalogue"]

_MAGIC: Final = 0x950412DE
_LINE: Final = re.compile(r'(msgctxt|msgid|msgstr)?\s*("(?:[^"\\]|\\.)*")')


class BadCatalogue(ValueError):
    """A line of a ``.po`` file that cannot be read; the text names its number.

    >>> try:
    ...     read_catalogue('msgid "A"\\nmsgid_plural "B"\\n')
    ... except BadCatalogue as error:
    ...     print(error)
    line 2: 'msgid_plural "B"': msgctxt, msgid or msgstr and a text in double quotes is needed
    """


def read_catalogue(text: str) -> dict[tuple[str, str], str]:
    """``(context, id)`` → text of every entry that has a text. Raises ``BadCatalogue``.

    >>> read_catalogue('msgctxt "text"\\nmsgid "OUT-OF-STOCK"\\nmsgstr "Sold "\\n"out."\\n')
    {('text', 'OUT-OF-STOCK'): 'Sold out.'}
    """
    entries: dict[tuple[str, str], str] = {}
    entry: dict[str, str] = {}
    key = ""

    def finish(number: int) -> None:
        if "msgid" not in entry:
            return
        identity = (entry.get("msgctxt", ""), entry["msgid"])
        if identity in entries:
            raise BadCatalogue(f"line {number}: {identity[1]!r} is there already")
        if entry.get("msgstr"):
            entries[identity] = entry["msgstr"]

    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        if match is None or (match[1] is None and not key):
            needed = "msgctxt, msgid or msgstr and a text in double quotes is needed"
            raise BadCatalogue(f"line {number}: {stripped[:80]!r}: {needed}")
        if match[1] is not None:
            key = match[1]
            if key == "msgctxt" or (key == "msgid" and "msgid" in entry):
                finish(number)
                entry = {}
            entry[key] = ""
        entry[key] += ast.literal_eval(match[2])
    finish(text.count("\n"))
    return entries


def compile_catalogue(text: str) -> bytes:
    """The ``.mo`` file of a ``.po`` file: the same bytes for the same entries. Raises ``BadCatalogue``.

    >>> import gettext, io
    >>> made = compile_catalogue('msgctxt "text"\\nmsgid "OUT-OF-STOCK"\\nmsgstr "Sold out."\\n')
    >>> gettext.GNUTranslations(io.BytesIO(made)).pgettext("text", "OUT-OF-STOCK")
    'Sold out.'
    """
    pairs = sorted(
        (f"{context}\x04{name}".encode() if context else name.encode(), value.encode())
        for (context, name), value in read_catalogue(text).items()
    )
    offset = 28 + 16 * len(pairs)
    tables, data = [b"", b""], b""
    for which in (0, 1):
        for pair in pairs:
            tables[which] += struct.pack("<II", len(pair[which]), offset + len(data))
            data += pair[which] + b"\0"
    header = struct.pack("<7I", _MAGIC, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, offset)
    return header + tables[0] + tables[1] + data


def _main(arguments: list[str]) -> int:
    check = "--check" in arguments
    stale = 0
    for name in arguments:
        if name == "--check":
            continue
        source = Path(name)
        target = source.with_suffix(".mo")
        try:
            made = compile_catalogue(source.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, BadCatalogue) as error:
            sys.stderr.write(f"{name}: {error}\n")
            return 1
        if not check:
            target.write_bytes(made)
        elif not target.exists() or target.read_bytes() != made:
            sys.stderr.write(f"{target} is not current: python -m otel_errors.messages_compile {name}\n")
            stale = 1
    return stale


if __name__ == "__main__":
    raise SystemExit(_main(sys.argv[1:]))
