"""Errors that leave a process, or are copied: by pickle, by queues, by pools."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import SpawnContext
from multiprocessing.pool import Pool
from typing import Any

import pytest

from otel_errors.app_errors import (
    BaseAppError,
    InternalServerError,
    ServiceUnavailableError,
    ValidationError,
)
from otel_errors.error_codes import declare

SPAWN: SpawnContext = multiprocessing.get_context("spawn")


class OutOfStock(BaseAppError):
    """With arguments of its own, as applications write them."""

    default_code = declare("TEST-OUT-OF-STOCK", number=1901, status=409, meaning="Nothing is left.")

    def __init__(self, sku: str, left: int, *, warehouse: str) -> None:
        super().__init__(f"{left} of {sku} left", details={"sku": sku})
        self.sku = sku
        self.left = left
        self.warehouse = warehouse


def out_of_stock(sku: str) -> None:
    raise OutOfStock(sku, 0, warehouse="north")


def unavailable(name: str) -> None:
    raise ServiceUnavailableError(
        "no route to host", service_name=name, retry_after=2.5, details={"attempt": 3}
    ) from OSError(113, "no route")


class Connection:
    """Cannot be pickled."""

    def __reduce__(self) -> Any:
        raise TypeError("a connection cannot be pickled")


def with_a_connection(_: str) -> None:
    error = InternalServerError("ledger is off", original_exception=KeyError("row 7"))
    error.connection = Connection()  # type: ignore[attr-defined]
    raise error


def test_out_of_a_pool_of_futures_as_it_was_raised() -> None:
    with ProcessPoolExecutor(1, mp_context=SPAWN) as pool:
        with pytest.raises(OutOfStock) as declined:
            pool.submit(out_of_stock, "A-1").result(90)
        with pytest.raises(ServiceUnavailableError) as refused:
            pool.submit(unavailable, "bank").result(90)
        with pytest.raises(InternalServerError) as internal:
            pool.submit(with_a_connection, "").result(90)
    one = declined.value
    assert (one.sku, one.left, one.warehouse, one.code, one.status) == ("A-1", 0, "north", "TEST-OUT-OF-STOCK", 409)
    assert (str(one), one.details) == ("0 of A-1 left", {"sku": "A-1"})
    two = refused.value
    assert (two.service_name, two.retry_after, two.is_critical) == ("bank", 2.5, True)
    assert two.details == {"attempt": 3, "service_name": "bank"}
    assert "no route" in str(two.__cause__), "the pool's own account of the stack, with the cause"
    assert repr(internal.value.original_exception) == "KeyError('row 7')"
    assert isinstance(internal.value.connection, str)  # type: ignore[attr-defined]


def test_out_of_a_multiprocessing_pool() -> None:
    pool: Pool = SPAWN.Pool(1)
    try:
        with pytest.raises(OutOfStock) as declined:
            pool.apply_async(out_of_stock, ("A-1",)).get(90)
    finally:
        pool.terminate()
        pool.join()
    assert (declined.value.sku, declined.value.to_problem()["status"]) == ("A-1", 409)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_keeps_the_cause(protocol: int) -> None:
    error = InternalServerError("ledger is off", original_exception=ZeroDivisionError("x"), error_code=501)
    again = pickle.loads(pickle.dumps(error, protocol))
    assert again.to_dict() == error.to_dict()
    assert repr(again.__cause__) == repr(again.original_exception) == "ZeroDivisionError('x')"


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copies(copied: Any) -> None:
    error = ValidationError("2 bad fields", field_errors={"age": "Too low."}, user_message="Please check.")
    again = copied(error)
    assert again is not error
    assert (again.to_dict(), again.to_problem()) == (error.to_dict(), error.to_problem())


def test_a_note_travels_with_the_error() -> None:
    error = BaseAppError("x")
    if hasattr(error, "add_note"):
        error.add_note("while importing row 7")
        assert pickle.loads(pickle.dumps(error)).__notes__ == ["while importing row 7"]
