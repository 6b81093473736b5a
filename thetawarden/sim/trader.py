"""Somebody who proposes trades all day, so that a short simulated day sees many orders.

It speaks in the strategist's place and with its authority, which is none: whatever it says is
judged like any proposal. Now and then it asks for nonsense, which must be refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

import msgspec
import numpy as np

from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.chains.view import ChainRows, ChainView, read_rows
from thetawarden.domain.instants import NS_PER_MINUTE, UnixNs
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.proposal import Exits, OrderLeg, Pricing, Proposal
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.domain.risk.instrument import QuoteSeen
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.chains import ChainViewed
from thetawarden.messages.market import SeriesQualified
from thetawarden.messages.orders import OrderStageChanged, ProposeOrder
from thetawarden.sim.disk import Entry

STRATEGY = "simulated"
TICK = Decimal("0.05")
SHORT_DELTA, WIDTH_MIN_USD, CREDIT_MIN_USD = 0.07, 3.0, 0.10
NONSENSE_IN = 8
AGAIN_IN = 2
"""Of so many proposals one is followed by another at once, which must count the first."""
SINGLE_IN = 4
"""Of so many trades one sells a put alone."""
Say = Callable[[Message], None]


class _Held(msgspec.Struct, frozen=True):
    proposal: Proposal
    units: int


class SimTrader:
    """Hears what is recorded, and proposes when it is asked to act.

    One that varies proposes puts alone beside spreads, and now and then two things at once.
    """

    def __init__(
        self, *, rng: np.random.Generator, say: Say, speed: float, varies: bool = False
    ) -> None:
        self._rng = rng
        self._varies = varies
        self._say = say
        self._speed = speed
        self._instruments: dict[int, Instrument] = {}
        self._view: ChainView | None = None
        self._proposed: dict[str, Proposal] = {}
        self._open: dict[str, _Held] = {}
        self._count = 0

    def hear(self, entry: Entry) -> None:
        """Keep what is needed to propose."""
        if not isinstance(entry, Envelope):
            return
        match entry.body:
            case ChainViewed(view=view):
                self._view = view
            case SeriesQualified(options=options):
                self._instruments.update({one.conid: one for one in options})
            case OrderStageChanged(role=OrderRole.ENTRY, stage=Stage.FILLED) as told:
                proposal = self._proposed.get(told.proposal_key)
                if proposal is not None:
                    self._open[told.trade] = _Held(proposal, told.units_filled)
            case _:
                pass

    def act(self, now: UnixNs) -> None:
        """Propose something: mostly to open, sometimes to close, now and then nonsense."""
        draw = self._rng.random()
        if self._open and draw < 0.25:
            name = sorted(self._open)[int(self._rng.integers(len(self._open)))]
            self._close(name, self._open.pop(name), now)
            return
        first = self._open_one(now)
        if first is not None and self._varies and int(self._rng.integers(AGAIN_IN)) == 0:
            self._open_one(now, besides=first)

    def _open_one(self, now: UnixNs, *, besides: Proposal | None = None) -> Proposal | None:
        proposal = self._sale(now, besides)
        if proposal is None:
            return None
        if int(self._rng.integers(NONSENSE_IN)) == 0:
            proposal = self._spoiled(proposal)
        self._proposed[proposal.key] = proposal
        self._say(ProposeOrder(proposal=proposal))
        return proposal

    def _sale(self, now: UnixNs, besides: Proposal | None) -> Proposal | None:
        """A put spread far out of the money, now and then a put alone."""
        view = self._view
        if view is None or view.spot_usd is None:
            return None
        rows = read_rows(view)
        usable = [
            place
            for place in range(len(rows.conid))
            if not rows.is_call[place]
            and math.isfinite(rows.delta_per_share[place])
            and math.isfinite(rows.bid_usd[place] + rows.ask_usd[place])
            and int(rows.conid[place]) in self._instruments
        ]
        if besides is not None:  # of other contracts: what undoes or repeats an order is refused
            taken = {leg.instrument.conid for leg in besides.legs}
            usable = [one for one in usable if int(rows.conid[one]) not in taken]
        for series in self._rng.permutation(sorted({int(rows.series[one]) for one in usable})):
            puts = [one for one in usable if rows.series[one] == series]
            found = self._of_series(view, rows, puts, now)
            if found is not None:
                return found
        return None

    def _of_series(
        self, view: ChainView, rows: ChainRows, puts: list[int], now: UnixNs
    ) -> Proposal | None:
        short = min(puts, key=lambda one: abs(abs(rows.delta_per_share[one]) - SHORT_DELTA))
        lower = [
            one for one in puts if rows.strike_usd[one] <= rows.strike_usd[short] - WIDTH_MIN_USD
        ]
        single = self._varies and int(self._rng.integers(SINGLE_IN)) == 0
        if not lower and not single:
            return None
        longs = [] if single else [max(lower, key=lambda one: float(rows.strike_usd[one]))]
        natural = float(rows.bid_usd[short]) - sum(float(rows.ask_usd[one]) for one in longs)
        middle = _middle(rows, short) - sum(_middle(rows, one) for one in longs)
        credit, worst = _on_tick(middle), _on_tick(natural)
        if credit < CREDIT_MIN_USD:
            return None
        return self._proposal(
            view,
            now,
            legs=tuple(
                OrderLeg(instrument=self._instruments[int(rows.conid[one])], ratio=ratio)
                for one, ratio in ((short, -1), *((one, 1) for one in longs))
            ),
            credit=credit,
            worst=max(min(worst, credit), TICK),
            quotes=tuple(
                QuoteSeen(
                    con_id=rows.conid[one].item(),
                    seq=view.number,
                    at_ns=UnixNs(int(rows.at_ns[one])),
                )
                for one in (short, *longs)
            ),
        )

    def _proposal(
        self,
        view: ChainView,
        now: UnixNs,
        *,
        legs: tuple[OrderLeg, ...],
        credit: Decimal,
        worst: Decimal,
        quotes: tuple[QuoteSeen, ...],
    ) -> Proposal:
        self._count += 1
        profit = max(_on_tick(float(credit) / 2), TICK)
        return Proposal(
            key=f"sim-{now}-{self._count}",
            trade=f"s{now // NS_PER_MINUTE % 10**7}n{self._count}",
            strategy=STRATEGY,
            purpose=Purpose.OPEN,
            underlying=view.underlying,
            legs=legs,
            units=int(self._rng.integers(1, 4)),
            limit_usd=-credit,
            worst_usd=-worst,
            pricing=Pricing.WALK,
            expires_ns=UnixNs(now + round(20 * NS_PER_MINUTE * self._speed / 60)),
            exits=Exits(take_profit_usd=profit, stop_usd=_on_tick(float(credit) * 3)),
            quotes=quotes,
            reasons=("simulated",),
        )

    def _close(self, trade: str, held: _Held, now: UnixNs) -> None:
        """Ask to buy back what was sold, at about what it was sold for."""
        before = held.proposal
        self._count += 1
        price = _on_tick(-float(before.limit_usd)) + TICK
        legs = tuple(OrderLeg(instrument=one.instrument, ratio=-one.ratio) for one in before.legs)
        proposal = msgspec.structs.replace(
            before,
            key=f"sim-{now}-{self._count}",
            trade=trade,
            purpose=Purpose.CLOSE,
            legs=legs,
            units=held.units,
            limit_usd=price,
            worst_usd=price,
            expires_ns=UnixNs(now + round(20 * NS_PER_MINUTE * self._speed / 60)),
            exits=None,
            quotes=(),
        )
        self._say(ProposeOrder(proposal=proposal))

    def _spoiled(self, proposal: Proposal) -> Proposal:
        """Something nobody may let through: far too large, naked, or priced from nowhere."""
        which = int(self._rng.integers(3))
        replace = msgspec.structs.replace
        if which == 0:
            return replace(proposal, units=500)
        if which == 1:
            return replace(proposal, legs=proposal.legs[:1], units=40)
        return replace(proposal, limit_usd=Decimal(5), worst_usd=Decimal(9))


def _middle(rows: ChainRows, place: int) -> float:
    return float(rows.bid_usd[place] + rows.ask_usd[place]) / 2


def _on_tick(value: float) -> Decimal:
    return round(value / float(TICK)) * TICK
