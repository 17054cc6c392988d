"""What several threads hold together stays within a budget."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tinykit_ops.backup.memory import Budget

WAIT = 60  #: seconds; nothing here takes that long unless it hangs


def test_many_threads_never_hold_more_than_the_budget():
    budget, lock, held, most = Budget(100), threading.Lock(), [0], [0]

    def work(size):
        with budget.hold(size):
            with lock:
                held[0] += size
                most[0] = max(most[0], held[0])
            with lock:
                held[0] -= size

    chance = random.Random(3)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, (chance.randint(0, 100) for _ in range(2000))))
    assert held == [0]
    assert 0 < most[0] <= 100


def test_who_wants_more_than_there_is_gets_all_of_it_alone():
    budget, second = Budget(100), threading.Event()

    def after():
        with budget.hold(1):
            second.set()

    with budget.hold(10_000):
        thread = threading.Thread(target=after)
        thread.start()
        assert not second.wait(0.3)
    assert second.wait(WAIT)
    thread.join(WAIT)


def test_a_big_one_is_not_passed_by_small_ones():
    budget, order, lock = Budget(100), [], threading.Lock()

    def take(name, size):
        with budget.hold(size), lock:
            order.append(name)

    with budget.hold(60):
        big = threading.Thread(target=take, args=("big", 100))
        big.start()
        deadline = time.monotonic() + WAIT
        while not budget._turn.locked():  # until the big one waits
            assert time.monotonic() < deadline
            time.sleep(0.01)
        small = [threading.Thread(target=take, args=("small", 1)) for _ in range(5)]
        for thread in small:
            thread.start()
    for thread in (big, *small):
        thread.join(WAIT)
    assert order == ["big", *["small"] * 5]


def test_a_failure_gives_back_what_it_held():
    budget = Budget(100)
    with pytest.raises(RuntimeError), budget.hold(100):
        raise RuntimeError("the target is away")
    with budget.hold(100):
        pass
