"""What may be asked and ordered: parameters and bodies, checked before anything reaches the store."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, model_validator

from collector_processor.api.problems import Problem, shown_value
from collector_processor.issues.lifecycle import STATES, State
from collector_processor.issues.queries import MAX_TREND_HOURS, IssueFilter, Sort
from otel_errors.semconv import Severity

ISSUE_ID: Final = re.compile("[0-9a-z]{1,16}")
FINGERPRINT: Final = re.compile("fp[0-9]{1,3}:[0-9a-f]{32}")
OPEN_STATES: Final[tuple[State, ...]] = ("new", "regressed", "acknowledged")
PAGE_LIMIT: Final = 100
MAX_TEXT: Final = 200


def _text(value: str) -> str:
    """Control characters and lone surrogates match nothing and are refused by some databases."""
    if not value.isprintable():
        raise ValueError("control characters are not allowed")
    return value


def seconds_of(value: str) -> float:
    """RFC 3339 → seconds since 1970; without an offset it is UTC. Raises ``ValueError`` that says what is needed."""
    try:
        moment = datetime.fromisoformat(re.sub("[zZ]$", "+00:00", value))
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, OverflowError):
        raise ValueError("not a time: RFC 3339 is needed, such as 2026-12-24T08:00:00Z") from None


def _time(value: str) -> str:
    seconds_of(value)
    return value


Text = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_text)]
Cursor = Annotated[str, Field(max_length=500, pattern="^[A-Za-z0-9_-]*$")]
Time = Annotated[StrictStr, Field(max_length=40), AfterValidator(_time)]
Id = Annotated[StrictStr, Field(pattern="^[0-9a-z]{1,16}$")]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


# Written out: of a union pydantic tells the faults of each member, one by one.
AskedState = Literal["open", "new", "regressed", "acknowledged", "resolved", "ignored"]


class IssuesAsked(_Asked):
    """``GET /issues``. An unknown parameter is an error: a mistyped filter must not show everything."""

    state: list[AskedState] = Field([], max_length=10, description="Any of; open: new, regressed, acknowledged.")
    severity: list[Severity] = Field([], max_length=10)
    service_name: Text = ""
    service_namespace: Text | None = None
    environment: Text = ""
    assignee: Text = ""
    q: Text = Field("", description="Words that all occur in title, culprit, type or service name.")
    sort: Sort = "last_seen"
    order: Literal["desc", "asc"] = "desc"
    limit: int = Field(50, ge=1, le=PAGE_LIMIT)
    cursor: Cursor = Field("", description="next_cursor of the page before, with the same filter and order.")

    def filter(self) -> IssueFilter:
        chosen = {state for one in self.state for state in (OPEN_STATES if one == "open" else (one,))}
        return IssueFilter(
            states=[state for state in STATES if state in chosen],
            severities=list(dict.fromkeys(self.severity)),
            service_name=self.service_name,
            service_namespace=self.service_namespace,
            environment=self.environment,
            assignee=self.assignee,
            search=self.q,
        )


class OccurrencesAsked(_Asked):
    environment: Text = ""
    limit: int = Field(20, ge=1, le=PAGE_LIMIT)
    cursor: Cursor = ""


class ActivityAsked(_Asked):
    limit: int = Field(100, ge=1, le=PAGE_LIMIT)


class TrendAsked(_Asked):
    hours: int = Field(168, ge=1, le=MAX_TREND_HOURS)


class IssueChange(_Asked):
    """``PATCH /issues/{id}``. What is absent stays as it is; ``state`` is changed first, so a refused one changes
    nothing."""

    state: Literal["acknowledged", "resolved", "ignored", "new"] | None = Field(
        None, description="new takes the last answer back: a resolved issue becomes regressed, any other new."
    )
    in_next_release: StrictBool = Field(False, description="With resolved: only a later release reopens it.")
    ignore_until: Time | None = Field(None, description="With ignored: RFC 3339; absent: for ever.")
    ignore_events: Annotated[StrictInt, Field(ge=1, le=10**12)] | None = Field(
        None, description="With ignored: until so many more events came."
    )
    assignee: Text | None = Field(None, description='A person; "" for nobody.')
    team: Text | None = None
    severity: Severity | None = None
    note: Annotated[str, Field(max_length=2_000)] = Field("", description="Kept with the activity.")

    @model_validator(mode="after")
    def _fits(self) -> IssueChange:
        if self.state != "ignored" and (self.ignore_until is not None or self.ignore_events is not None):
            raise ValueError("ignore_until and ignore_events go with the state ignored")
        if self.state != "resolved" and self.in_next_release:
            raise ValueError("in_next_release goes with the state resolved")
        if self.state is None and self.assignee is None and self.team is None and self.severity is None:
            raise ValueError("nothing to change: state, assignee, team or severity is needed")
        return self


class Merge(_Asked):
    """``POST /issues/merge``: one problem, found under several fingerprints."""

    into: Id = Field(description="The issue that stays.")
    issues: list[Id] = Field(
        min_length=1, max_length=100, description="The issues that become part of it; of the same service."
    )
    note: Annotated[str, Field(max_length=2_000)] = ""


def issue_id(value: str) -> str:
    """The id, when it can be one; else the 404 that any other unknown id gets."""
    if not ISSUE_ID.fullmatch(value):
        raise unknown_issue(value)
    return value


def unknown_issue(value: str) -> Problem:
    return Problem(404, f"There is no issue {shown_value(value)!r}")
