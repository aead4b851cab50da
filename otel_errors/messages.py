"""What users read, by error code and language: gettext catalogues, ours for the codes declared here, and an
application's own in front of them.

A text is looked for in the asked language, the application's first; then in the default language; then the same for
the code that says least wrong about the HTTP status. So a code without a text of its own has that of its status.
"""

from __future__ import annotations

import gettext
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from otel_errors import error_codes
from otel_errors.guard import log
from otel_errors.negotiation import best_language

__all__ = ["Messages", "default_messages", "set_default_messages"]

LOCALES: Final = Path(__file__).parent / "locales"
DOMAIN: Final = "otel_errors"
_LAST_RESORT: Final = "Something went wrong. Please try again."

Overrides = Mapping[str, str | Mapping[str, str]]
"""Code → text for every language, or language → text."""


class Messages:
    """Texts by code and language. Immutable, cheap to share.

    >>> messages = Messages(overrides={"RESOURCE-NOT-FOUND": {"en": "There is no such order."}})
    >>> messages.text("RESOURCE-NOT-FOUND")
    'There is no such order.'
    >>> messages.text("RESOURCE-GONE", language="de")
    'Das Gewünschte ist nicht mehr verfügbar.'
    """

    def __init__(
        self,
        *,
        directory: str | Path | None = None,
        domain: str = "messages",
        default_language: str = "en",
        overrides: Overrides | None = None,
    ) -> None:
        """``directory``: the application's own catalogues, ``LANGUAGE/LC_MESSAGES/DOMAIN.mo``, as gettext, Babel and
        Django keep them; contexts ``title`` and ``text``, ids are the codes. A file that cannot be read is named on
        stderr and left out."""
        own = _catalogues(Path(directory), domain) if directory is not None else {}
        ours = _catalogues(LOCALES, DOMAIN)
        self._catalogues = {
            language: [found[language] for found in (own, ours) if language in found] for language in {**ours, **own}
        }
        self._overrides = dict(overrides or {})
        self.default_language = default_language

    @property
    def languages(self) -> tuple[str, ...]:
        """Those that there are catalogues for.

        >>> Messages().languages
        ('de', 'en', 'es', 'fr')
        """
        return tuple(sorted(self._catalogues))

    def language_for(self, accept_language: str | None) -> str:
        """The language to answer in.

        >>> Messages().language_for("de-AT,de;q=0.9")
        'de'
        """
        try:
            return best_language(accept_language, self._catalogues, self.default_language)
        except Exception:  # no text: the bytes of a header, for instance; an answer in the wrong language is one
            return self.default_language

    def text(self, code: str, status: int = 500, language: str | None = None) -> str:
        """What happened and what can be done, for the user. Never empty.

        >>> Messages().text("NO-SUCH-CODE", 503)
        'We cannot do this right now. Please try again in a few minutes.'
        """
        given = self._override(code, language)
        return given or self._found("text", code, status, language) or _LAST_RESORT

    def title(self, code: str, status: int = 500, language: str | None = None) -> str:
        """The same in a few words.

        >>> Messages().title("RATE-LIMITED", 429, "es")
        'Demasiadas solicitudes'
        """
        return self._found("title", code, status, language) or _LAST_RESORT

    def page_text(self, name: str, language: str | None = None) -> str:
        """A fixed text of the error page: ``reference``, ``reference-hint``, ``field-errors``.

        >>> Messages().page_text("reference", "fr")
        'Référence'
        """
        return self._lookup("page", name, language) or name

    def _override(self, code: str, language: str | None) -> str:
        texts = self._overrides.get(code, "")
        if isinstance(texts, str):
            return texts
        return texts.get(language or self.default_language) or texts.get(self.default_language) or ""

    def _found(self, context: str, code: str, status: int, language: str | None) -> str:
        return self._lookup(context, code, language) or self._lookup(
            context, error_codes.for_status(status).code, language
        )

    def _lookup(self, context: str, name: str, language: str | None) -> str:
        for tried in dict.fromkeys((language, self.default_language, "en")):
            for catalogue in self._catalogues.get(tried or "", ()):
                text = catalogue.pgettext(context, name)
                if text != name:
                    return text
        return ""


def default_messages() -> Messages:
    """What ``to_problem`` and every ``ErrorHandler`` use that was given none.

    >>> default_messages().text("RESOURCE-GONE")
    'What you asked for is no longer available.'
    """
    with _lock:
        return _default if _default is not None else _standard()


def set_default_messages(messages: Messages | None) -> None:
    """Replace them for the whole process; None takes the library's own.

    >>> set_default_messages(Messages(default_language="de"))
    >>> default_messages().title("ACCESS-DENIED")
    'Kein Zugriff'
    >>> set_default_messages(None)
    """
    global _default
    with _lock:
        _default = messages


_lock = threading.Lock()
_default: Messages | None = None


@lru_cache(maxsize=1)
def _standard() -> Messages:
    return Messages()


def _catalogues(directory: Path, domain: str) -> dict[str, gettext.GNUTranslations]:
    found: dict[str, gettext.GNUTranslations] = {}
    for file in sorted(directory.glob(f"*/LC_MESSAGES/{domain}.mo")):
        try:
            with file.open("rb") as opened:
                found[file.parent.parent.name.replace("_", "-")] = gettext.GNUTranslations(opened)
        except Exception as error:
            log.warning("messages: %s cannot be read and is left out: %s", file, error)
    if not found:
        log.warning("messages: no */LC_MESSAGES/%s.mo in %s", domain, directory)
    return found
