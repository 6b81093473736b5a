"""Makes of a proposal what the rules judge: its legs with the freshest quotes and marks there are.

Pure. An order that walks is judged at the worst price it may walk to.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping

from thetawarden.domain.governing.sights import UNSEEN, SeenLeg, Sight, seen_legs
from thetawarden.domain.governing.terms import Terms, earnings_of, ex_dividend_tonight
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.market.ticks import is_on_tick
from thetawarden.domain.orders.building import ticks_of
from thetawarden.domain.orders.proposal import Proposal
from thetawarden.domain.risk.candidate import Candidate, Leg, OrderKind, Purpose, WhatIf
from thetawarden.domain.risk.instrument import Instrument, LegQuote, Marks
from thetawarden.domain.risk.intake import instrument_of
from thetawarden.domain.units import to_decimal


def proposal_gap(proposal: Proposal, *, now: UnixNs) -> str:
    """Return why a proposal cannot even be judged, or nothing."""
    if now >= proposal.expires_ns:
        return "it came too late: it was void already"
    if not proposal.legs:
        return "it has no legs"
    for leg in proposal.legs:
        if instrument_of(leg.instrument) is None:
            return f"{leg.instrument.conid} is neither share, future nor a plain option"
    prices = (proposal.limit_usd, proposal.worst_usd)
    if not all(price.is_finite() for price in prices):
        return f"its prices are no prices: {proposal.limit_usd} to {proposal.worst_usd}"
    if proposal.limit_usd > proposal.worst_usd:
        return f"it would begin at {proposal.limit_usd}, beyond its worst {proposal.worst_usd}"
    ticks = ticks_of(proposal.legs)
    if not is_on_tick(proposal.limit_usd, ticks):
        return f"it would begin at {proposal.limit_usd}, which is on no tick of this product"
    return ""


def candidate_of(
    proposal: Proposal,
    *,
    sights: Mapping[str, Sight],
    terms: Terms,
    whatif: WhatIf | None,
    day: dt.date,
    marks_usd: Mapping[int, float],
) -> Candidate:
    """Return what the rules judge of a proposal that has no gap.

    `marks_usd` are prices of shares and futures by contract, for legs that no chain shows.
    """
    legs = [(instrument_of(leg.instrument), leg.ratio) for leg in proposal.legs]
    plain = [(one, ratio) for one, ratio in legs if one is not None]
    symbol = plain[0][0].underlying
    sight = sights.get(symbol)
    seen = {} if sight is None else seen_legs(sight, [one.con_id for one, _ in plain])
    ends = [one.expiry for one, _ in plain if one.expiry is not None]
    until = max(ends, default=day)
    entry = proposal.purpose is not Purpose.CLOSE
    return Candidate(
        key=proposal.key,
        strategy=proposal.strategy,
        purpose=proposal.purpose,
        legs=tuple(
            _leg(one, ratio, seen.get(one.con_id), sight, marks_usd) for one, ratio in plain
        ),
        units=proposal.units,
        limit_usd=proposal.worst_usd,
        kind=OrderKind.LIMIT,
        ticks=ticks_of(proposal.legs),
        whatif=whatif,
        earnings=earnings_of(symbol, terms=terms, entry_day=day, until=until) if entry else None,
        ex_dividend_tonight=ex_dividend_tonight(symbol, terms=terms, day=day),
        auto_selected=proposal.auto_selected,
    )


def _leg(
    instrument: Instrument,
    ratio: int,
    seen: SeenLeg | None,
    sight: Sight | None,
    marks_usd: Mapping[int, float],
) -> Leg:
    if instrument.is_option:
        known = seen or UNSEEN
        return Leg(
            instrument=instrument,
            ratio=ratio,
            marks=known.marks,
            quote=known.quote,
            delta_per_share=known.delta_per_share,
        )
    return Leg(
        instrument=instrument,
        ratio=ratio,
        marks=Marks(),
        quote=_share_quote(instrument, sight, marks_usd),
        delta_per_share=1.0,
    )


def _share_quote(
    instrument: Instrument, sight: Sight | None, marks_usd: Mapping[int, float]
) -> LegQuote | None:
    """Of what no chain quotes the price of its underlying is the only one there is."""
    price, at_ns, epoch = math.nan, UnixNs(0), 0
    if sight is not None and math.isfinite(sight.spot_usd):
        price, at_ns, epoch = sight.spot_usd, sight.spot_at_ns, sight.epoch
    elif instrument.con_id in marks_usd:
        price = marks_usd[instrument.con_id]
    if not math.isfinite(price):
        return None
    exact = to_decimal(price, places=4)
    return LegQuote(seq=0, bid_usd=exact, ask_usd=exact, at_ns=at_ns, epoch=epoch)
