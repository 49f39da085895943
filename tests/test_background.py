"""Work in the background keeps its order, is bounded, and fails where it is seen."""

import threading

import pytest

from prune_fair.study.background import in_background


def test_order_and_end():
    done = []
    with in_background() as submit:
        for number in range(5):
            submit(done.append, number)
    assert done == [*range(5)]


def test_caller_goes_on_but_one_piece_ahead_only():
    gate, begun = threading.Event(), threading.Event()

    def wait():
        begun.set()
        assert gate.wait(10)

    def open_gate():
        assert begun.wait(10)
        gate.set()

    with in_background() as submit:
        submit(wait)  # returns, though the gate is shut
        opener = threading.Timer(0.05, open_gate)
        opener.start()
        submit(lambda: None)  # waits for the gate
        assert gate.is_set()


def in_turn(*functions):
    with in_background() as submit:
        for function in functions:
            submit(function)


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_failures_are_raised_at_the_next_piece_or_the_end(error):
    def fail():
        raise error("disk full")

    done = []
    with pytest.raises(error, match="disk full"):
        in_turn(fail, lambda: done.append(1))
    assert not done
    with pytest.raises(error, match="disk full"):
        in_turn(fail)


def test_what_is_under_way_is_finished_where_the_caller_fails():
    done, begun = [], threading.Event()

    def slow():
        begun.set()
        threading.Event().wait(0.05)
        done.append(1)

    def interrupted():
        with in_background() as submit:
            submit(slow)
            assert begun.wait(10)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done == [1]
