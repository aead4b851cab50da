"""The tables of the issue store. ``migrations/`` must lead to exactly these; a test compares them.

Times of events are integer nanoseconds since 1970 as the application said (bounded by the processor's clock); times of
people's and the processor's own acts are seconds of the processor's clock. Counts, users, releases, environments and
hours hang on the *fingerprint*, so that taking one out of an issue again is exact. ``""`` means unknown.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    literal_column,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


Number = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits. SQLite keeps that much in any integer, and counts rows up by itself only under this name."""


def _only_where(condition: ColumnElement[bool]) -> dict[str, Any]:
    return {"sqlite_where": condition, "postgresql_where": condition}


services = Table(
    "services",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("namespace", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("last_received", Float, nullable=False),
    UniqueConstraint("namespace", "name"),
)

releases = Table(
    "releases",
    metadata,
    Column("service_id", ForeignKey("services.id"), primary_key=True),
    Column("release", Text, primary_key=True),
    Column("first_seen", BigInteger, nullable=False),
    Column("first_received", Float, nullable=False),
)

issues = Table(
    "issues",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("service_id", ForeignKey("services.id"), nullable=False),
    Column("merged_into", ForeignKey("issues.id"), nullable=True),
    # shown
    Column("title", Text, nullable=False),
    Column("culprit", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("search_text", Text, nullable=False),
    # sums over the issue's fingerprints, kept for sorting
    Column("count", BigInteger, nullable=False),
    Column("users", BigInteger, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("created_at", Float, nullable=False),
    # life cycle
    Column("state", String(16), nullable=False),
    Column("changed_at", Float, nullable=False),
    Column("opened_at", Float, nullable=False),
    Column("unacknowledged_since", Float, nullable=True),
    Column("severity", String(16), nullable=False),
    Column("severity_set", Boolean, nullable=False, server_default=false()),
    Column("resolved_at", BigInteger, nullable=True),
    Column("resolved_release", Text, nullable=False),
    Column("in_next_release", Boolean, nullable=False, server_default=false()),
    Column("ignored_until", Float, nullable=True),
    Column("ignored_until_count", BigInteger, nullable=True),
    # people
    Column("assignee", Text, nullable=False),
    Column("team", Text, nullable=False),
    Index(None, "last_seen", "id"),
)
# partial, because nearly every row would stand in them for nothing
Index(None, issues.c.merged_into, **_only_where(issues.c.merged_into.is_not(None)))

fingerprints = Table(
    "fingerprints",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("service_id", ForeignKey("services.id"), nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("issue_id", ForeignKey("issues.id"), nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("user_rows", Integer, nullable=False),  # rows in "users": what its bound is about
    UniqueConstraint("fingerprint", "service_id"),
    Index(None, "issue_id"),
)

# What is exposed as counters: these only grow. "owed" is what a correction took back and later events pay off first.
event_totals = Table(
    "event_totals",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("service_id", ForeignKey("services.id"), nullable=False),
    Column("environment", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("handled", SmallInteger, nullable=False),  # 1, 0, -1 unknown
    Column("total", BigInteger, nullable=False),
    Column("owed", BigInteger, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("trace_time", BigInteger, nullable=False),
    UniqueConstraint("service_id", "environment", "type", "severity", "handled"),
)

series = Table(
    # the finest count that is kept; issue, environment and release figures are sums of it
    "series",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("fingerprint_id", ForeignKey("fingerprints.id"), nullable=False),
    Column("environment", Text, nullable=False),
    Column("release", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("handled", SmallInteger, nullable=False),
    Column("total_id", ForeignKey("event_totals.id"), nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    UniqueConstraint("fingerprint_id", "environment", "release", "type", "severity", "handled"),
)

hours = Table(
    "hours",
    metadata,
    Column("fingerprint_id", ForeignKey("fingerprints.id"), primary_key=True),
    Column("hour", Integer, primary_key=True),  # whole hours since 1970, UTC
    Column("count", BigInteger, nullable=False),
    Index(None, "hour"),
)

users = Table(
    "users",
    metadata,
    # a number made from fingerprint and pseudonym: many pairs are found by one IN (…)
    Column("pair", BigInteger, primary_key=True, autoincrement=False),
    Column("environment", Text, primary_key=True),
    Column("fingerprint_id", ForeignKey("fingerprints.id"), nullable=False),
    Column("pseudonym", Text, nullable=False),
    Index(None, "fingerprint_id"),
    sqlite_with_rowid=False,
)

occurrences = Table(
    "occurrences",
    metadata,
    Column("id", Number, primary_key=True),
    Column("fingerprint_id", ForeignKey("fingerprints.id"), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("received", Float, nullable=False),
    Column("rank", BigInteger, nullable=False),  # a number drawn from the content: the lowest are the sample
    Column("event_id", Text, nullable=False),
    Column("support_reference", Text, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index(None, "fingerprint_id", "time"),
    sqlite_autoincrement=True,
)
Index(None, occurrences.c.event_id, **_only_where(occurrences.c.event_id != literal_column("''")))
Index(None, occurrences.c.support_reference, **_only_where(occurrences.c.support_reference != literal_column("''")))

reference_segments = Table(
    # which event a support reference means; see references.py
    "reference_segments",
    metadata,
    Column("first", BigInteger, primary_key=True, autoincrement=False),  # references are numbered as they come, from 1
    Column("size", Integer, nullable=False),  # how many are in this row
    Column("begun", Float, nullable=False),  # when the first of them was received
    Column("received", Float, nullable=False),  # and the last
    Column("reference_keys", LargeBinary, nullable=False),  # five bytes each
    Column("entries", LargeBinary, nullable=False),  # MessagePack, one after the other
)

activity = Table(
    "activity",
    metadata,
    Column("id", Number, primary_key=True),
    Column("issue_id", ForeignKey("issues.id"), nullable=False),
    Column("time", Float, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", String(32), nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("note", Text, nullable=False),
    Index(None, "issue_id", "id"),
    sqlite_autoincrement=True,
)

issue_environments = Table(
    "issue_environments",
    metadata,
    Column("issue_id", ForeignKey("issues.id"), primary_key=True),
    Column("environment", Text, primary_key=True),
    Column("total", BigInteger, nullable=False),
    Column("owed", BigInteger, nullable=False),
    Column("users", BigInteger, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("trace_time", BigInteger, nullable=False),
)

durations = Table(
    # a histogram: seconds from open to acknowledged and to resolved
    "durations",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("upper", Float, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("seconds", Float, nullable=False),
)

identities = Table(
    # what was counted within the window; see identity.py for key and tally
    "identities",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("seen", Number, nullable=False),
    Column("tally", LargeBinary, nullable=False),
    Index(None, "seen"),
    sqlite_with_rowid=False,
)

queue_positions = Table(
    "queue_positions",
    metadata,
    Column("queue_id", String(64), primary_key=True),
    Column("position", BigInteger, nullable=False),
)

sink_positions = Table(
    "sink_positions",
    metadata,
    Column("sink", String(64), primary_key=True),
    Column("queue_id", String(64), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("dropped", BigInteger, nullable=False),
)

uncounted = Table(
    # records that a sink must not show: copies and repeated deliveries
    "uncounted",
    metadata,
    Column("queue_id", String(64), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
)
