"""Signals as exceptions: the first one, once, and never between a process's start and its owner."""

from __future__ import annotations

import os
import signal

import pytest

from collector_processor.demo.ending import NUMBERS, Terminated, ended_by_signals, undisturbed


@pytest.mark.parametrize(
    ("number", "error"),
    [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated), (signal.SIGHUP, Terminated)],
)
def test_a_signal_is_an_exception_and_a_second_one_is_not(number: int, error: type[BaseException]) -> None:
    before = [signal.getsignal(each) for each in NUMBERS]

    def interrupted() -> None:
        with ended_by_signals():
            try:
                os.kill(os.getpid(), number)
            finally:
                for each in NUMBERS:
                    os.kill(os.getpid(), each)

    with pytest.raises(error):
        interrupted()
    assert [signal.getsignal(each) for each in NUMBERS] == before


def test_while_undisturbed_it_is_held_back() -> None:
    done = []

    def interrupted() -> None:
        with ended_by_signals():
            with undisturbed():
                with undisturbed():
                    os.kill(os.getpid(), signal.SIGTERM)
                    done.append("inner")
                done.append("outer")
            done.append("after")

    with pytest.raises(Terminated):
        interrupted()
    assert done == ["inner", "outer"]


def test_without_a_signal_nothing_is_raised() -> None:
    with ended_by_signals(), undisturbed():
        pass
    with undisturbed():
        pass
