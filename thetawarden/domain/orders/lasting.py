"""Says until when something can be traded at all: what has stopped trading needs no exits."""

from __future__ import annotations

from collections.abc import Iterable

from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.chains.identity import Refusal, terms_of
from thetawarden.domain.instants import UnixNs, new_york_date
from thetawarden.domain.market.expiry import ExpiryFault, expiry_terms
from thetawarden.domain.market.sessions import Sessions


def is_traded(instruments: Iterable[Instrument], *, now: UnixNs, sessions: Sessions) -> bool:
    """Whether all of these can still be traded, today or later."""
    return all(_is_traded(one, now, sessions) for one in instruments)


def _is_traded(one: Instrument, now: UnixNs, sessions: Sessions) -> bool:
    if one.kind is not InstrumentKind.OPTION or one.expiry is None:
        return True
    terms = terms_of(
        trading_class=one.trading_class or one.symbol,
        multiplier=one.multiplier,
        underlying=one.symbol,
        is_index=False,
    )
    if isinstance(terms, Refusal):
        return new_york_date(now) <= one.expiry
    ends = expiry_terms(option_class=terms, expiry=one.expiry, sessions=sessions)
    if isinstance(ends, ExpiryFault):
        return new_york_date(now) <= one.expiry
    return now < ends.last_trade_ns
