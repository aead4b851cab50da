"""Once for one object, and nothing of the application kept alive for long."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

from otel_errors.seen import HELD_SECONDS, LIFE_SECONDS, MAX_ENTRIES, MAX_HELD, SeenExceptions, Sighting
from otel_errors.seen import seen as of_the_process


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Custom(Exception):
    """Can be weakly referenced; builtin exceptions cannot."""


def sighting() -> Sighting:
    return Sighting("test", True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def seen(clock: Clock) -> SeenExceptions:
    return SeenExceptions(clock)


@pytest.mark.parametrize("kind", [ValueError, Custom])
def test_the_first_claim_is_first_and_the_next_has_its_id(seen: SeenExceptions, kind: type[Exception]) -> None:
    one, two = kind("x"), kind("x")
    first, is_first = seen.claim(one, sighting)
    assert is_first
    assert seen.claim(one, sighting) == (first, False)
    other, is_first = seen.claim(two, sighting)
    assert is_first
    assert other.event_id != first.event_id
    assert seen.get(one) is first
    seen.forget(one)
    assert seen.get(one) is None


@pytest.mark.parametrize(("kind", "life"), [(ValueError, HELD_SECONDS), (Custom, LIFE_SECONDS)])
def test_after_its_life_the_same_object_is_a_new_error(
    seen: SeenExceptions, clock: Clock, kind: type[Exception], life: float
) -> None:
    error = kind("x")
    first, _ = seen.claim(error, sighting)
    clock.now += life
    assert seen.get(error) is first
    clock.now += 0.1
    second, is_first = seen.claim(error, sighting)
    assert is_first
    assert second.event_id != first.event_id


def test_a_held_exception_is_let_go_when_nobody_else_holds_it(seen: SeenExceptions) -> None:
    class Resource:
        pass

    def fail() -> weakref.ref[Resource]:
        resource = Resource()
        alive = weakref.ref(resource)
        try:
            raise ValueError("x")
        except ValueError as error:
            seen.claim(error, sighting)
        return alive

    alive = fail()
    assert seen.held == 1
    seen.sweep()
    assert seen.held == 0
    assert alive() is None


def test_the_garbage_collector_lets_go_without_another_error() -> None:
    def fail() -> None:
        try:
            raise ValueError("x")
        except ValueError as error:
            of_the_process.claim(error, sighting)

    fail()
    assert of_the_process.held >= 1
    gc.collect()
    assert of_the_process.held == 0


def test_an_exception_in_a_circle_is_let_go_by_age(seen: SeenExceptions, clock: Clock) -> None:
    error = ValueError("x")
    seen.claim(error, sighting)
    seen.sweep()
    assert seen.held == 1
    clock.now += HELD_SECONDS + 1
    seen.sweep()
    assert seen.held == 0


def test_it_is_bounded(seen: SeenExceptions) -> None:
    kept = [Custom(str(number)) for number in range(MAX_ENTRIES + 50)]
    held = [ValueError(str(number)) for number in range(MAX_HELD + 50)]
    for error in kept + held:
        seen.claim(error, sighting)
    assert len(seen) <= MAX_ENTRIES
    assert seen.held == MAX_HELD
    assert seen.get(held[-1]) is not None
    assert seen.get(kept[0]) is None


def test_may_hold_false_holds_nothing(seen: SeenExceptions) -> None:
    error = ValueError("x")
    _, is_first = seen.claim(error, sighting, may_hold=False)
    assert is_first
    assert (seen.held, len(seen)) == (0, 0)


def test_threads_that_see_the_same_object_agree(seen: SeenExceptions) -> None:
    errors = [ValueError(str(number)) for number in range(20)] + [Custom(str(number)) for number in range(20)]
    barrier = threading.Barrier(8)
    firsts: list[bool] = []
    ids: list[str] = []

    def work() -> None:
        barrier.wait()
        for error in errors:
            found, first = seen.claim(error, sighting)
            firsts.append(first)
            ids.append(found.event_id)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(firsts) == len(errors)
    assert len(set(ids)) == len(errors)


def test_a_dead_objects_address_is_not_its_identity(seen: SeenExceptions) -> None:
    for _ in range(200):
        _, is_first = seen.claim(Custom("x"), sighting)
        assert is_first
