"""The fingerprint: which errors are one bug.

In: the bare types of the whole chain, and for each exception the site of its raise (``stacktraces.site``). The
message, with its volatile parts replaced, only where no stack of the chain names a function of the application. Out:
lines, columns, paths, hosts, addresses, recursion depth, the frames around the raising one, instrumentation.
docs/grouping.md argues each choice. A change of any key is a new version prefix.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from collector_processor.events import ExceptionNode, bare_type
from collector_processor.stacktraces import BY_NAME, parse_cut, restored
from collector_processor.stacktraces.language import Language
from collector_processor.stacktraces.site import NOWHERE, RAN_OVER, Site, site
from collector_processor.stacktraces.text import bounded, cut_message, restore_message
from collector_processor.stages.grouping_rules import DEFAULT_RULES, GroupingRules
from collector_processor.stages.parameterize import parameterize

MAX_MESSAGE = 512
"""Characters of a message's first line that count."""
MAX_CACHED_TEXT = 16_384
_CACHE_ENTRIES = 2048
_CACHE_CHARACTERS = 4_000_000

_LISTED = re.compile(r"([\"']?<[a-z]{2,8}>[\"']?)(?:, ?\1)+")
_CODE = re.compile(r"[A-Z][A-Z0-9_]+")


class Grouping(msgspec.Struct, frozen=True):
    fingerprint: str
    """``fp1:`` and 32 hex digits."""
    language: str
    raise_site: str
    """Module-or-file and function of the raise, line-free, the same for the span's and the log's text; ``""`` without
    frames."""
    culprit: str
    """The application's function to look at: ``shop/payments.py in charge_card``; ``""`` without frames."""
    components: tuple[str, ...]
    """What went into the fingerprint, and what was left out, a sentence each."""
    earlier_fingerprints: tuple[str, ...]
    """What the versions before the newest make of it, newest first."""
    read: tuple[ExceptionNode, ...]
    """The exceptions as they are remembered, the message marked (``stacktraces.text``)."""
    message: str

    @property
    def exceptions(self) -> tuple[ExceptionNode, ...]:
        """Outermost first, then causes and group members depth first. Made when asked for: events need none."""
        return restored(self.read, self.message)


class Version(NamedTuple):
    """Rules under the number that stands in front of their fingerprints."""

    name: str
    components: Callable[[Sequence[ExceptionNode], Sequence[str], Sequence[Site]], list[str]]
    """(exceptions, their bare types, their sites) -> what goes into the fingerprint besides the message."""


class _Key(NamedTuple):
    version: str
    components: tuple[str, ...]
    fingerprint: str
    """``""`` when the message has to count."""


class _Reading(NamedTuple):
    """Of one stack text, whatever its message: what the cache keeps."""

    language: str
    exceptions: tuple[ExceptionNode, ...]
    outermost: Site
    keys: tuple[_Key, ...]
    """A version each, the newest first."""
    notes: tuple[str, ...]
    """What --explain says besides; not part of any key."""


def group(
    *,
    type: str,  # noqa: A002
    message: str,
    stacktrace: str,
    language: str = "",
    client: str = "",
    rules: GroupingRules = DEFAULT_RULES,
) -> Grouping:
    """What the record says -> its fingerprint. Total and linear.

    ``type``, ``message``, ``stacktrace``: as received, before redaction; ``""`` for what is absent. ``client``: the
    application's own wish (``otel_errors.fingerprint.client``); when given, nothing else counts. ``rules``: whose code
    is the application's, and where callers count.
    """
    text = stacktrace if len(stacktrace) <= MAX_CACHED_TEXT else bounded(stacktrace)
    if message and not _ran_over(message):
        text = cut_message(text, message)
    reading = _cached(type, text, language, rules)
    said: str | None = None
    if not client and not reading.keys[0].fingerprint:
        said = message_key(_said(reading.exceptions, message, stacktrace))
    newest, *earlier = [
        _digest(key.version, ("client", client))
        if client
        else key.fingerprint or _digest(key.version, (*key.components, "message", said or ""))
        for key in reading.keys
    ]
    components = reading.keys[0].components
    if client:
        components = (f"client fingerprint: {client:.200}", "left out: everything else, the application decided")
    elif said is not None:
        components = (*components, f"message: {said}" if said else "message: none")
    components = (*components, *reading.notes) if reading.notes else components
    site_ = reading.outermost
    read = reading.exceptions
    return Grouping(newest, reading.language, site_.raised, site_.culprit, components, tuple(earlier), read, message)


def _said(exceptions: Sequence[ExceptionNode], message: str, stacktrace: str) -> str:
    """The message that counts. The text's before the record's: a span says str(exc), a log record str(args[0]) or the
    line that it logged, their texts the same. Only of a text without frames the first line."""
    first = exceptions[0] if exceptions else ExceptionNode()
    if first.message is not None:
        return restore_message(first.message, message) or ""
    return message if message or first.frames else _headline(stacktrace)


def message_key(message: str) -> str:
    """The first line that says something, volatile parts replaced; with the second when the first only announces it
    with a colon. Of a list of values, which may be longer the next time, the first; numbers are one kind."""
    said = [line for line in (line.strip() for line in message[: 4 * MAX_MESSAGE].split("\n")) if line][:2]
    if not said:
        return ""
    first = " ".join(said) if said[0].endswith(":") else said[0]
    return _LISTED.sub(r"\1", parameterize(first[:MAX_MESSAGE]).replace("<float>", "<int>"))


def _headline(stacktrace: str) -> str:
    """What a text without frames and without a record's message is told by: its first line."""
    return next((line for line in (line.strip() for line in stacktrace[: 4 * MAX_MESSAGE].split("\n")) if line), "")


_Asked = tuple[str, str, str, GroupingRules]
_young: dict[_Asked, _Reading] = {}
_old: dict[_Asked, _Reading] = {}
_young_characters = 0


def _cached(type_: str, text: str, language: str, rules: GroupingRules) -> _Reading:
    """Two generations instead of a list of uses: no lock, no bookkeeping on a hit, and at most twice the bound is
    kept."""
    global _young, _old, _young_characters
    key = (type_, text, language, rules)
    reading = _young.get(key)
    if reading is not None:
        return reading
    reading = _old.get(key) or _read(type_, text, language, rules)
    if len(text) <= MAX_CACHED_TEXT:
        if len(_young) >= _CACHE_ENTRIES or _young_characters > _CACHE_CHARACTERS:
            _old, _young, _young_characters = _young, {}, 0
        _young[key] = reading
        _young_characters += len(text)
    return reading


def _read(type_: str, text: str, language: str, rules: GroupingRules) -> _Reading:
    trace = parse_cut(text, language, type=type_)
    nodes = rules.judged(trace.exceptions)
    reader = BY_NAME.get(trace.language)
    types = [bare_type(node.type or "") for node in nodes]
    if nodes and type_ and trace.language != "javascript":
        types[0] = bare_type(type_)
    elif nodes and type_ and not _CODE.fullmatch(type_):
        # A JavaScript span carries error.code as its type where there is one, the log record of the same error its
        # name.
        types[0] = bare_type(type_)
    sites = [_site(node, reader, name, rules) for node, name in zip(nodes, types, strict=True)]
    if not nodes:
        types = [bare_type(type_)]
    told = any(where.tells_apart for where in sites)
    keys = []
    for version in VERSIONS:
        components = version.components(nodes, types, sites)
        fingerprint = _digest(version.name, components) if told else ""
        if told:
            components.append("left out: message, lines, columns, paths, outer frames")
        keys.append(_Key(version.name, tuple(components), fingerprint))
    notes = () if nodes is trace.exceptions else _notes(trace.exceptions, nodes)
    return _Reading(trace.language, nodes, sites[0] if sites else NOWHERE, tuple(keys), notes)


def _notes(before: Sequence[ExceptionNode], after: Sequence[ExceptionNode]) -> tuple[str, ...]:
    pairs = [
        pair for one, other in zip(before, after, strict=True) for pair in zip(one.frames, other.frames, strict=True)
    ]
    taken = sum(other.in_app and not one.in_app for one, other in pairs)
    given = sum(one.in_app and not other.in_app for one, other in pairs)
    return tuple(
        f"settings: {count} frames by grouping.in_app.{key}"
        for count, key in ((taken, "include"), (given, "exclude"))
        if count
    )


def _first(nodes: Sequence[ExceptionNode], types: Sequence[str], sites: Sequence[Site]) -> list[str]:
    components = ["type: " + (types[0] or "unknown")]
    if sites and sites[0].key:
        components.append("raised: " + sites[0].key)
    if len(nodes) > 1:
        chain = _chain(nodes, [f"{name} {where.key}" for name, where in zip(types, sites, strict=True)])
        if chain:
            components.append("chain: " + chain)
    return components


VERSIONS: tuple[Version, ...] = (Version("fp1", _first),)
"""In force, the newest first. A change of any key is a new version in front; the one before it stays for a while, so
that the issues which have its fingerprints take the new ones (docs/grouping.md, "Newer rules")."""


def _site(node: ExceptionNode, reader: Language | None, name: str, rules: GroupingRules) -> Site:
    if not node.frames:
        return NOWHERE
    ran_over = node.message is not None and _ran_over(node.message)
    return site(node.frames, reader, name, ran_over=ran_over, by_caller=rules.by_caller)


def _ran_over(message: str) -> bool:
    said = message[:MAX_MESSAGE]
    return ("tack" in said or "ecursion" in said) and RAN_OVER.search(said) is not None


def _chain(nodes: Sequence[ExceptionNode], own: list[str]) -> str:
    """The causes and group members below the outermost, as one text.

    Equal neighbours are one (a retry that failed the same way five times), members are a set (how many tasks failed,
    and in which order, is chance).
    """
    below: list[set[str]] = [set() for _ in nodes]
    for index in range(len(nodes) - 1, 0, -1):
        parent = nodes[index].parent or 0
        if own[index] == own[parent]:
            below[parent] |= below[index]
        else:
            below[parent].add(_with(own[index], below[index]))
    return _with("", below[0]) if nodes else ""


def _with(name: str, below: set[str]) -> str:
    return f"{name}({', '.join(sorted(below))})" if below else name


def _digest(version: str, parts: Sequence[str]) -> str:
    content = "\0".join(parts).encode("utf-8", "surrogatepass")
    return f"{version}:{blake2b(content, digest_size=16).hexdigest()}"
