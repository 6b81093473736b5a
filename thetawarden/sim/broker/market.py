"""A practice market that remembers what it computed: one for every set of terms in a process.

The market is a pure function of its terms and the instant, so worlds that share a market share its
answers too, as long as nobody intervenes in it. That makes the second world of a market many times
as fast as the first, and changes nothing in it.
"""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from thetawarden.practice.market.market import PracticeMarket
from thetawarden.practice.market.parts import Terms
from thetawarden.practice.model import Bar, BarRequest, Quote

KEPT_MAX = 150_000
_pool: dict[Terms, RememberingMarket] = {}
Shown = dict[tuple[int, int], Quote | None]
"""Quotes by the instant they are of and their contract."""


def market_of(terms: Terms) -> RememberingMarket:
    """Return the market of these terms, at its beginning and without interventions.

    The one returned before for the same terms is this one: worlds follow each other.
    """
    known = _pool.get(terms)
    if known is None:
        known = _pool[terms] = RememberingMarket(terms)
    known.begin_anew()
    return known


class RememberingMarket(PracticeMarket):
    """Answers again what it answered before.

    Most instants are looked at by one world only, and what it saw is let go of with it. Where a
    second world looks, the next will look as well: all is computed then that any has asked for, as
    many at once take hardly longer, and kept.
    """

    def __init__(self, terms: Terms) -> None:
        super().__init__(terms)
        self._began = self.save()
        self._worlds, self._left_alone = 0, self._turns
        self._looked_at: dict[int, int] = {}
        self._asked: dict[int, None] = {}
        self._kept: Shown = {}
        self._for_now: Shown = {}
        self._bars: dict[BarRequest, tuple[Bar, ...]] = {}

    def begin_anew(self) -> None:
        """Go back to the beginning; what nobody intervened in is not forgotten."""
        self._worlds += 1
        self._for_now.clear()
        if self._turns == self._left_alone:
            self._now_ns = self._terms.start_ns
            self._board.forget()  # what was asked of the past goes by when it was asked
        else:
            self.restore(self._began)
            self._left_alone = self._turns

    @override
    def quote(self, con_id: int) -> Quote | None:
        """The present quote."""
        return self.quotes((con_id,))[0]

    @override
    def quotes(self, con_ids: Sequence[int]) -> Sequence[Quote | None]:
        """Many quotes at once, those that were asked for before out of memory."""
        if self._levers.pulled:
            return super().quotes(con_ids)
        beat = self._beat_ns
        shown = self._shown_at(beat)
        missing = [one for one in con_ids if (beat, one) not in shown]
        if missing:
            self._asked.update(dict.fromkeys(missing))
            if shown is self._kept:
                missing = [one for one in self._asked if (beat, one) not in shown]
            for one, quote in zip(missing, super().quotes(missing), strict=True):
                shown[beat, one] = quote
        return [shown[beat, one] for one in con_ids]

    def _shown_at(self, beat: int) -> Shown:
        """Where quotes of an instant are: kept if an earlier world has looked then."""
        if self._looked_at.setdefault(beat, self._worlds) == self._worlds:
            return self._for_now
        if len(self._kept) > KEPT_MAX:
            self._kept.clear()
        return self._kept

    @override
    def bars(self, request: BarRequest) -> tuple[Bar, ...]:
        """Bars; of the past they are what they were."""
        if self._levers.pulled:
            return super().bars(request)
        known = self._bars.get(request)
        if known is None:
            known = self._bars[request] = super().bars(request)
        return known
