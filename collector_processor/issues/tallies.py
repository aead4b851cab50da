"""How many issues there are, by service, state and severity: one aggregate over the issues, cheap enough for every view
of the list."""

from __future__ import annotations

import msgspec
from sqlalchemy import Engine, func, select

from collector_processor.issues import schema
from collector_processor.issues.database import reading
from collector_processor.issues.lifecycle import State
from otel_errors.semconv import Severity


class Tally(msgspec.Struct, frozen=True):
    service_namespace: str
    service_name: str
    state: State
    severity: Severity
    issues: int
    events: int


def tallies(engine: Engine) -> list[Tally]:
    """Of all issues that a list shows. Raises ``StoreUnavailable``."""
    issues, services = schema.issues, schema.services
    keys = (services.c.namespace, services.c.name, issues.c.state, issues.c.severity)
    query = (
        select(*keys, func.count(), func.sum(issues.c.count))
        .join(services, services.c.id == issues.c.service_id)
        .where(issues.c.merged_into.is_(None), issues.c.count > 0)
        .group_by(*keys)
        .order_by(*keys)
    )
    with reading(engine) as connection:
        return [Tally(row[0], row[1], row[2], row[3], row[4], int(row[5])) for row in connection.execute(query)]
