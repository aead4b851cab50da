"""E-mail addresses, told from what only looks like one: frames, packages, remotes, host names, matrix products."""

from __future__ import annotations

import re
from collections.abc import Sequence

from collector_processor.stages.redact.pattern import Match, Span
from collector_processor.stages.redact.rule import WORD, Example, Rule, vocabulary
from collector_processor.stages.redact.source_lines import on_source_line

# Endings that are no top-level domain but files, private networks or members of objects.
_FILES = vocabulary(
    """js jsx ts tsx mjs cjs vue svelte html htm css scss map json yaml yml xml php java kt rb cs cpp cxx hpp swift
    scala exe dll jar war class wasm txt log csv pdf png jpg jpeg gif svg ico webp avif bmp tiff heic webm woff ttf eot
    zip gz tgz tar rc docx xlsx pptx parquet avro sql toml ini cfg conf lock tmp bak pem crt msi deb rpm whl
    min chunk esm umd bundle"""
)
_PRIVATE = vocabulary("service socket target mount local internal localdomain localhost lan git node")
_BEFORE_FILE_ENDING = vocabulary("com org net edu gov")
# Generic domains that need no second look.
_GENERIC = vocabulary(
    """com org net edu gov mil int info biz name pro aero coop museum jobs mobi travel tel cat asia post xxx app dev
    cloud online site store shop  tech xyz email live news blog agency digital media network systems solutions
    services group world today company consulting support  software design studio space website global
    international life health care bank finance capital money insurance law legal tax energy  club team work works
    zone academy school university college education training institute foundation church community social chat
    game  games video film music photo photos pictures art gallery museum fashion style beauty fitness run bike
    car cars auto taxi flights hotel  hotels holiday house homes land rent estate property properties builders
    construction engineering industries farm garden kitchen  restaurant cafe bar pub pizza wine beer coffee food
    eat berlin hamburg koeln cologne bayern wien paris london nyc tokyo amsterdam  brussels madrid barcelona
    moscow istanbul quebec scot wales irish eus gal bzh africa page link click help host hosting domains sale
    market marketing events party gift gifts toys kids baby dog pet vet dental doctor clinic hospital surgery top
    vip win bid trade  example test invalid corp"""
)


_AT = re.compile(r"@|%(?:25)?40|&#0?64;|\\u0040")
_VERSION = re.compile(r"v\d+")


def _address(text: str, match: Match) -> Sequence[Span]:
    start, end = match[0]
    sign = _AT.search(text, start, end)
    if sign is None:
        return ()
    at = sign.start()
    local = text[start:at]
    escape = local.rfind("%")
    if escape >= 0 and sign[0][0] == "%":  # an encoded "=" or blank before it in a query string
        start, local = start + escape + 3, local[escape + 3 :]
    domain = text[sign.end() : end]
    if domain[0] == "[":
        return ((start, end),) if local and local[0] in WORD else ()
    labels = domain.split(".")
    ending = labels[-1].lower()
    after = text[end : end + 2]
    if not local or local[-1] == "." or ".." in local or local[0] not in WORD:
        return ()
    if ending in _FILES and len(labels) > 2 and labels[-2].lower() in _BEFORE_FILE_ENDING:
        end -= len(ending) + 1  # a file that is named after an address: exports/ann@example.com.json
        labels.pop()
        ending, after = labels[-1].lower(), ""
    if ending in _FILES or ending in _PRIVATE or (after and (after[0] in WORD or after[0] == "(")):
        return ()
    if domain[0] == "-" or "-." in domain or ".-" in domain:
        return ()
    if len(labels) > 2 and labels[0].isdigit() and labels[1].isdigit():
        return ()  # a version: react@18.2.0-rc.dev
    if after[:1] == ":" and after[1:].isdigit() and len(ending) <= 3 and ending not in _GENERIC:
        return ()  # a frame: fn@main.py:12
    if ending[0] != labels[-1][0] and ending not in _GENERIC and any(map(_VERSION.fullmatch, labels)):
        return ()  # a method: rpc@shop.v1.Orders/Get
    if local == "git" and after[:1] in (":", "/"):
        return ()
    if local.startswith("celery"):
        return ()  # the name of a worker, with its host's
    if _in_authority(text, start):
        return ()
    if len(ending) > 2 and ending not in _GENERIC and not ending.startswith("xn--") and on_source_line(text, start):
        return ()  # a matrix product: x@self.weight
    return ((start, end),)


def _quoted_address(text: str, match: Match) -> Sequence[Span]:
    """Not what stands between two texts of a list, the second a decorator: ``["…", "@app.get(…)"]``."""
    start, end = match[0]
    local = text[start : text.index("@", start, end)]
    return ((start, end),) if any(map(str.isalnum, local)) else ()


def _in_authority(text: str, start: int) -> bool:
    """Whether the user part of ``scheme://user@host`` or ``scheme://user:password@host`` stands here."""
    head = text[max(0, start - 256) : start]
    slashes = head.rfind("://")
    if slashes < 0:
        return False
    between = head[slashes + 3 :]
    return not any(mark in between for mark in (" \t\n\r\"'<>/?#" if ":" in between else " \t\n\r\"'<>/?#(),;"))


_LOCAL = r"[0-9A-Za-z_\xc0-\xff][0-9A-Za-z_.%+'\xc0-\xff-]*"
_SIGN = r"(?:@|%(?:25)?40|&#0?64;|\\u0040)"
_DOMAIN = r"(?:[0-9A-Za-z\xc0-\xff-]+\.)+(?:[Xx][Nn]--[0-9A-Za-z-]+|[A-Za-z\xc0-\xff]{2,24})"

RULES = (
    Rule(
        name="email",
        replacement="[email]",
        what="e-mail addresses, also with `%40` or `&#64;`; not stack frames, packages, git remotes, private hosts",
        pattern=rf"{_LOCAL}{_SIGN}(?:{_DOMAIN}|\[[0-9A-Fa-f.:]{{3,39}}\])",
        cue=rf"{_SIGN}(?:[0-9A-Za-z\xc0-\xff.-]+\.[A-Za-z\xc0-\xff]{{2}}|\[[0-9A-Fa-f])|\.[Xx][Nn]--",
        check=_address,
        shortest=6,
        examples=(
            Example("no user ann.lee+shop@mail.example.co.uk!", "no user [email]!"),
            Example("mailto:jörg@müller.example", "mailto:[email]"),
            Example("GET /u?email=ann%40example.com&x=1", "GET /u?email=[email]&x=1"),
            Example("<o'brien@example.com>", "<[email]>"),
            Example("ann&#64;example.com, ann@[203.0.113.7]", "[email], [email]"),
            Example("my email is other+foobar@t.co.", "my email is [email]."),
            Example("no such key: exports/ann@example.com.json", "no such key: exports/[email].json"),
        ),
        counter_examples=(
            "ann@localhost",
            "render@https://cdn.example.com/app.js:1:2",
            "render@app.js:10:5",
            "@app.route('/login')",
            "email/parser.py",
            "@scope/name",
            "lodash@4.17.21",
            "logo@2x.webp",
            "git@github.com:org/repo.git",
            "ssh://git@github.com/org/repo",
            "com.shop.Order@1b2c3d4e",
            "java.base@11.0.2/java.lang.Thread.run",
            "celery@worker-3.example.com: ready",
            '  File "m.py", line 3, in f\n    return x@self.weight + b',
            "my email is info@presidio.",
            "rpc@shop.v1.Orders/Get",
        ),
    ),
    Rule(
        name="quoted-email",
        replacement="[email]",
        what='e-mail addresses whose first part is in quotes: `"ann lee"@example.com`',
        pattern=rf"\\{{0,3}}\"[^\"\\\n@]{{1,64}}\\{{0,3}}\"@{_DOMAIN}",
        cue=rf"\"@{_DOMAIN}",
        check=_quoted_address,
        shortest=8,
        examples=(
            Example('to "ann lee"@example.com', "to [email]"),
            Example('to "Анна Ли"@example.com', "to [email]"),
        ),
        counter_examples=(
            'import "x"@2.1.0',
            'the "at" sign "@"',
            '["    return total", "@app.get(path)"]',
        ),
    ),
)
