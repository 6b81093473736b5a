"""What lives is searched once; what forms a ring later is freed in a quiet hour."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from thetawarden.infra.collector import (
    search_all,
    searching_rarely,
    spare_nothing,
    spare_what_lives,
)


class Knot:
    """Can hold itself."""

    def __init__(self) -> None:
        self.held: Knot | None = None


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    spare_nothing()
    gc.collect()


def _ring() -> weakref.ref[Knot]:
    knot = Knot()
    knot.held = knot
    return weakref.ref(knot)


def test_what_lives_is_not_searched_again() -> None:
    kept = [Knot() for _ in range(1000)]

    spare_what_lives()

    assert gc.get_freeze_count() > len(kept)
    assert not any(isinstance(each, Knot) for each in gc.get_objects())


def test_a_ring_that_comes_later_is_freed_as_ever() -> None:
    spare_what_lives()
    ring = _ring()

    gc.collect()

    assert ring() is None


def test_what_a_later_search_finds_alive_is_set_aside_too() -> None:
    spare_what_lives()
    kept = [Knot() for _ in range(1000)]
    assert sum(isinstance(each, Knot) for each in gc.get_objects()) == len(kept)

    gc.collect()

    assert not any(isinstance(each, Knot) for each in gc.get_objects())


def test_a_ring_of_what_was_set_aside_is_freed_when_all_is_searched() -> None:
    knot = Knot()
    spare_what_lives()
    knot.held = knot
    seen = weakref.ref(knot)
    del knot
    gc.collect()
    assert seen() is not None

    search_all()

    assert seen() is None
    assert gc.get_freeze_count() > 0


def test_afterwards_the_collector_is_as_it_was() -> None:
    before = list(gc.callbacks)
    spare_what_lives()

    spare_nothing()

    assert gc.callbacks == before
    assert gc.get_freeze_count() == 0


def test_while_much_is_computed_it_is_searched_rarely_and_after_that_as_before() -> None:
    before, meanwhile = gc.get_threshold(), []

    def fail() -> None:
        with searching_rarely():
            meanwhile.append(gc.get_threshold()[0])
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert meanwhile[0] > 100 * before[0]
    assert gc.get_threshold() == before


def test_who_searches_even_more_rarely_is_not_made_to_search_more() -> None:
    before = gc.get_threshold()
    try:
        gc.set_threshold(10**7)
        with searching_rarely():
            assert gc.get_threshold()[0] == 10**7
    finally:
        gc.set_threshold(*before)
