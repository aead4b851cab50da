"""What the store says, in the words of HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from collector_processor.api.problems import Problem, shown_value
from collector_processor.issues.commands import IssueCommandError, IssueNotFound
from collector_processor.issues.database import StoreUnavailable
from collector_processor.issues.questions import IssueQueryError


@contextmanager
def as_problems() -> Iterator[None]:
    """404 for an unknown issue, 409 for what its state forbids, 422 for a bad value, 503 when the database does not
    answer."""
    try:
        yield
    except IssueNotFound as error:
        raise Problem(404, f"There is no issue {shown_value(error.value)!r}") from None
    except IssueCommandError as error:
        bad = {"key": error.key, "value": shown_value(error.value), "allowed": error.allowed}
        raise Problem(409 if error.key == "state" else 422, str(error), errors=[bad]) from None
    except IssueQueryError as error:
        raise Problem(422, str(error)) from None
    except StoreUnavailable:
        # its text names the store's address
        raise Problem(503, "The issue store does not answer; try again", headers={"Retry-After": "5"}) from None
