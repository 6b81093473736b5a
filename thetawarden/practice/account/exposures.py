"""Names what a margin rule needs to know of a position, whatever market it came from.

Prices are per share, quantities signed units, `iv_annual` a fraction. A future's or a share's
`under_price` is its own mark. Values are floats: margin is a model, not money in a ledger.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from thetawarden.practice.model import SecType


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """One position in the market of now; `broad_index` says whether its underlying is an index."""

    con_id: int
    sec_type: SecType
    symbol: str
    quantity: int
    mark: float
    under_price: float
    multiplier: int = 1
    broad_index: bool = False
    right: str = ""
    strike: float = 0.0
    expiry: dt.date | None = None
    iv_annual: float = 0.0
    tau_years: float = 0.0

    @property
    def value_usd(self) -> float:
        """Market value with multiplier and sign."""
        return self.mark * self.multiplier * self.quantity


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """What must be there to open and to keep positions, USD."""

    initial_usd: float
    maintenance_usd: float


NOTHING_REQUIRED = Requirement(initial_usd=0.0, maintenance_usd=0.0)


def total(parts: list[Requirement]) -> Requirement:
    """Return the sum of requirements."""
    return Requirement(
        initial_usd=sum(part.initial_usd for part in parts),
        maintenance_usd=sum(part.maintenance_usd for part in parts),
    )
