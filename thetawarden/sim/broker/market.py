"""A practice market that remembers what it computed: one for every set of terms in a process.

The market is a pure function of its terms and the instant, so worlds that share a market share its
answers too, as long as nobody intervenes in it. That makes the second world of a market many times
as fast as the first, and changes nothing in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from typing_extensions import override

from thetawarden.practice.market.market import PracticeMarket
from thetawarden.practice.market.parts import Terms
from thetawarden.practice.model import Bar, BarRequest, Quote

KEPT_MAX = 100_000
OFTEN = 3
"""Of so many worlds the next is like."""
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

    Most instants are looked at by one world only, and what it saw is let go of with it. Where some
    worlds have looked the next will look as well: what they mostly ask for is computed then, as
    many at once take hardly longer, and kept.
    """

    def __init__(self, terms: Terms) -> None:
        super().__init__(terms)
        self._began = self.save()
        self._left_alone = self._turns
        self._looked_at, self._asked = Counter[int](), Counter[int]()
        self._here: tuple[set[int], set[int]] = (set(), set())
        self._kept: Shown = {}
        self._for_now: Shown = {}
        self._bars: dict[BarRequest, tuple[Bar, ...]] = {}

    def begin_anew(self) -> None:
        """Go back to the beginning; what nobody intervened in is not forgotten."""
        for often, here in zip((self._looked_at, self._asked), self._here, strict=True):
            often.update(here)
            here.clear()
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
        beat, kept, now = self._beat_ns, self._kept, self._for_now
        missing = [one for one in con_ids if (beat, one) not in kept and (beat, one) not in now]
        if missing:
            instants, contracts = self._here
            instants.add(beat)
            contracts.update(missing)
            also = self._usual(beat)
            wanted = tuple(dict.fromkeys((*missing, *also)))
            for one, quote in zip(wanted, super().quotes(wanted), strict=True):
                (kept if one in also else now)[beat, one] = quote
        return [kept[beat, one] if (beat, one) in kept else now[beat, one] for one in con_ids]

    def _usual(self, beat: int) -> dict[int, None]:
        """What most worlds ask for and is not known of an instant at which some have looked."""
        kept = self._kept
        if self._looked_at[beat] < OFTEN or len(kept) > KEPT_MAX:
            return {}
        often = (one for one, worlds in self._asked.items() if worlds >= OFTEN)
        return dict.fromkeys(one for one in often if (beat, one) not in kept)

    @override
    def bars(self, request: BarRequest) -> tuple[Bar, ...]:
        """Bars; of the past they are what they were."""
        if self._levers.pulled:
            return super().bars(request)
        known = self._bars.get(request)
        if known is None:
            known = self._bars[request] = super().bars(request)
        return known
