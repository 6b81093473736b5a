"""Says of the book what a strategy needs: what is sold where, and what the account is worth."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable

import msgspec

from thetawarden.domain.books.rows import PositionRow
from thetawarden.domain.broker.account import AccountValues
from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.units import to_float


class Sold(msgspec.Struct, frozen=True, kw_only=True):
    """Options of one underlying and expiry that are held short, and those held long."""

    underlying: str
    expiry: dt.date
    conid: int
    contracts: float


class Portfolio(msgspec.Struct, frozen=True, kw_only=True):
    """The book in short; figures of the account are None while nobody knows them."""

    at_ns: int = 0
    reconciled: bool = False
    positions: int = 0
    options: tuple[Sold, ...] = ()
    nlv_usd: float | None = None
    cash_usd: float | None = None
    initial_margin_usd: float | None = None
    delta_shares: float | None = None
    gamma_shares_per_usd: float | None = None
    vega_usd_per_vol_point: float | None = None
    theta_usd_per_day: float | None = None

    def shorts(self, underlying: str) -> tuple[Sold, ...]:
        """What is sold on an underlying."""
        return tuple(o for o in self.options if o.underlying == underlying and o.contracts < 0)

    def longs(self, underlying: str) -> tuple[Sold, ...]:
        """What is bought on an underlying."""
        return tuple(o for o in self.options if o.underlying == underlying and o.contracts > 0)

    @property
    def short_contracts(self) -> float:
        """All contracts held short."""
        return -math.fsum(one.contracts for one in self.options if one.contracts < 0)


def portfolio_of(
    rows: Iterable[PositionRow], values: Iterable[AccountValues], *, at_ns: int, reconciled: bool
) -> Portfolio:
    """Return the book as strategies see it."""
    held = [row for row in rows if row.quantity]
    account = next((one for one in values if one.ready), None)
    return Portfolio(
        at_ns=at_ns,
        reconciled=reconciled,
        positions=len(held),
        options=tuple(
            Sold(
                underlying=row.instrument.symbol,
                expiry=row.instrument.expiry,
                conid=row.instrument.conid,
                contracts=to_float(row.quantity),
            )
            for row in held
            if row.instrument.kind is InstrumentKind.OPTION and row.instrument.expiry is not None
        ),
        nlv_usd=_value(account, "net_liquidation_usd"),
        cash_usd=_value(account, "cash_usd"),
        initial_margin_usd=_value(account, "initial_margin_usd"),
        delta_shares=_sum(row.delta_shares for row in held),
        gamma_shares_per_usd=_sum(row.gamma_shares_per_usd for row in held),
        vega_usd_per_vol_point=_sum(row.vega_usd_per_vol_point for row in held),
        theta_usd_per_day=_sum(row.theta_usd_per_day for row in held),
    )


def _sum(values: Iterable[float | None]) -> float | None:
    """The whole, unknown as soon as a part of it is."""
    parts = list(values)
    known = [part for part in parts if part is not None]
    return math.fsum(known) if len(known) == len(parts) else None


def _value(account: AccountValues | None, name: str) -> float | None:
    found = None if account is None else getattr(account, name)
    return None if found is None else to_float(found)
