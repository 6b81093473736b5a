"""Names what an exchange is set up with: accounts, rhythm of matching, habits that vary in life."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from thetawarden.domain.instants import NS_PER_HOUR, NS_PER_MINUTE, NS_PER_SECOND
from thetawarden.practice.account.book import AccountTerms
from thetawarden.practice.model import SecType

DEFAULT_ACCOUNT = AccountTerms(account="DU1000001", deposit_usd=Decimal(1_000_000))


class Rhythm(msgspec.Struct, frozen=True, kw_only=True):
    """How often an order meets the market, by the time since it was placed or changed."""

    fresh_ns: int = NS_PER_SECOND // 4
    fresh_for_ns: int = NS_PER_MINUTE
    settled_ns: int = NS_PER_SECOND
    settled_for_ns: int = NS_PER_HOUR
    old_ns: int = 5 * NS_PER_SECOND
    old_for_ns: int = 24 * NS_PER_HOUR
    aged_ns: int = 20 * NS_PER_SECOND

    def step_ns(self, age_ns: int) -> int:
        """Return the grid an order of this age is looked at on."""
        if age_ns < self.fresh_for_ns:
            return self.fresh_ns
        if age_ns < self.settled_for_ns:
            return self.settled_ns
        return self.old_ns if age_ns < self.old_for_ns else self.aged_ns


class ExchangeTerms(msgspec.Struct, frozen=True, kw_only=True):
    """`forbidden` security types are refused with 460; rates are annual fractions."""

    accounts: tuple[AccountTerms, ...] = (DEFAULT_ACCOUNT,)
    seed: int = 1
    rhythm: Rhythm = Rhythm()
    margin_check_ns: int = 5 * NS_PER_MINUTE
    benchmark_annual: Decimal = Decimal("0.04")
    forbidden: tuple[SecType, ...] = (SecType.CASH,)
    execution_rows_for_assignments: bool = False
    liquidates: bool = True

    def __post_init__(self) -> None:
        names = [one.account for one in self.accounts]
        if not names or len(set(names)) != len(names):
            raise ValueError(f"an exchange needs accounts with different ids, found {names}")
