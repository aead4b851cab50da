"""Reads a page as a browser does and finds what must not be there."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "link", "input", "img", "br", "hr"}
SVG = {"rect", "line", "circle", "path"}


class Markup(HTMLParser):
    """Elements, attributes and text of a page; ``faults`` are things that a page of ours never has."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.faults: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        if self._open:
            self.faults.append(f"not closed: {self._open}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.elements.append((tag, values))
        if tag in ("script", "iframe", "object", "embed", "base", "style", "template"):
            self.faults.append(f"element {tag}")
        for name, value in values.items():
            if name.startswith("on") or name == "style":
                self.faults.append(f"attribute {name} of {tag}")
            if name in ("href", "src", "action", "formaction") and ":" in value.split("/")[0].split("?")[0]:
                scheme = value.split(":")[0]
                if scheme not in ("http", "https"):
                    self.faults.append(f"{name} {value[:60]!r}")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.faults.append(f"</{tag}> in {self._open[-3:]}")
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        self.text += data

    def attributes(self, tag: str, name: str) -> list[str]:
        return [values[name] for found, values in self.elements if found == tag and name in values]
