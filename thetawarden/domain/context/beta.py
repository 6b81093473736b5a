"""How an underlying follows the index; loaded with every configuration, so without numpy."""

from __future__ import annotations

import msgspec


class Beta(msgspec.Struct, frozen=True, kw_only=True):
    """How one underlying follows the index; `days` is how many it was measured over, 0 for none.

    `beta` is return per return of the index, `iv_beta` volatility points per VIX point.
    """

    symbol: str
    beta: float
    iv_beta: float
    days: int = 0
