"""Services, issues, their counts, occurrences and activity, and what was counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "durations",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("upper", sa.Float(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "upper", name=op.f("pk_durations")),
    )
    op.create_table(
        "identities",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("seen", _NUMBER, nullable=False),
        sa.Column("tally", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_identities")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_identities_seen"), "identities", ["seen"], unique=False)
    op.create_table(
        "queue_positions",
        sa.Column("queue_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("queue_id", name=op.f("pk_queue_positions")),
    )
    op.create_table(
        "services",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("last_received", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_services")),
        sa.UniqueConstraint("namespace", "name", name=op.f("uq_services_namespace_name")),
    )
    op.create_table(
        "sink_positions",
        sa.Column("sink", sa.String(length=64), nullable=False),
        sa.Column("queue_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("dropped", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sink", "queue_id", name=op.f("pk_sink_positions")),
    )
    op.create_table(
        "uncounted",
        sa.Column("queue_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("queue_id", "position", name=op.f("pk_uncounted")),
    )
    op.create_table(
        "event_totals",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("handled", sa.SmallInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("owed", sa.BigInteger(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("trace_time", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_event_totals_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_totals")),
        sa.UniqueConstraint(
            "service_id",
            "environment",
            "type",
            "severity",
            "handled",
            name=op.f("uq_event_totals_service_id_environment_type_severity_handled"),
        ),
    )
    op.create_table(
        "issues",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("merged_into", sa.String(length=16), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("culprit", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("users", sa.BigInteger(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.Column("opened_at", sa.Float(), nullable=False),
        sa.Column("unacknowledged_since", sa.Float(), nullable=True),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("severity_set", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.Column("resolved_release", sa.Text(), nullable=False),
        sa.Column("in_next_release", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("ignored_until", sa.Float(), nullable=True),
        sa.Column("ignored_until_count", sa.BigInteger(), nullable=True),
        sa.Column("assignee", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["merged_into"], ["issues.id"], name=op.f("fk_issues_merged_into")),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_issues_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issues")),
    )
    op.create_index(op.f("ix_issues_last_seen_id"), "issues", ["last_seen", "id"], unique=False)
    op.create_index(
        op.f("ix_issues_merged_into"),
        "issues",
        ["merged_into"],
        unique=False,
        sqlite_where=sa.text("merged_into IS NOT NULL"),
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )
    op.create_table(
        "releases",
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("first_received", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_releases_service_id")),
        sa.PrimaryKeyConstraint("service_id", "release", name=op.f("pk_releases")),
    )
    op.create_table(
        "activity",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("issue_id", sa.String(length=16), nullable=False),
        sa.Column("time", sa.Float(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_activity_issue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_activity_issue_id_id"), "activity", ["issue_id", "id"], unique=False)
    op.create_table(
        "fingerprints",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("issue_id", sa.String(length=16), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("user_rows", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_fingerprints_issue_id")),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_fingerprints_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fingerprints")),
        sa.UniqueConstraint("fingerprint", "service_id", name=op.f("uq_fingerprints_fingerprint_service_id")),
    )
    op.create_index(op.f("ix_fingerprints_issue_id"), "fingerprints", ["issue_id"], unique=False)
    op.create_table(
        "issue_environments",
        sa.Column("issue_id", sa.String(length=16), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("owed", sa.BigInteger(), nullable=False),
        sa.Column("users", sa.BigInteger(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("trace_time", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_issue_environments_issue_id")),
        sa.PrimaryKeyConstraint("issue_id", "environment", name=op.f("pk_issue_environments")),
    )
    op.create_table(
        "hours",
        sa.Column("fingerprint_id", sa.Integer(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["fingerprint_id"], ["fingerprints.id"], name=op.f("fk_hours_fingerprint_id")),
        sa.PrimaryKeyConstraint("fingerprint_id", "hour", name=op.f("pk_hours")),
    )
    op.create_index(op.f("ix_hours_hour"), "hours", ["hour"], unique=False)
    op.create_table(
        "occurrences",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("fingerprint_id", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.Float(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("support_reference", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["fingerprint_id"], ["fingerprints.id"], name=op.f("fk_occurrences_fingerprint_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_occurrences")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_occurrences_event_id"),
        "occurrences",
        ["event_id"],
        unique=False,
        sqlite_where=sa.text("event_id != ''"),
        postgresql_where=sa.text("event_id != ''"),
    )
    op.create_index(op.f("ix_occurrences_fingerprint_id_time"), "occurrences", ["fingerprint_id", "time"], unique=False)
    op.create_index(
        op.f("ix_occurrences_support_reference"),
        "occurrences",
        ["support_reference"],
        unique=False,
        sqlite_where=sa.text("support_reference != ''"),
        postgresql_where=sa.text("support_reference != ''"),
    )
    op.create_table(
        "series",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fingerprint_id", sa.Integer(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("handled", sa.SmallInteger(), nullable=False),
        sa.Column("total_id", sa.Integer(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["fingerprint_id"], ["fingerprints.id"], name=op.f("fk_series_fingerprint_id")),
        sa.ForeignKeyConstraint(["total_id"], ["event_totals.id"], name=op.f("fk_series_total_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
        sa.UniqueConstraint(
            "fingerprint_id",
            "environment",
            "release",
            "type",
            "severity",
            "handled",
            name=op.f("uq_series_fingerprint_id_environment_release_type_severity_handled"),
        ),
    )
    op.create_table(
        "users",
        sa.Column("pair", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("fingerprint_id", sa.Integer(), nullable=False),
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["fingerprint_id"], ["fingerprints.id"], name=op.f("fk_users_fingerprint_id")),
        sa.PrimaryKeyConstraint("pair", "environment", name=op.f("pk_users")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_users_fingerprint_id"), "users", ["fingerprint_id"], unique=False)
