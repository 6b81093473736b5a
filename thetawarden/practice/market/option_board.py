"""Quotes options: those of a class in one pass, with fair value, Greeks and both sides.

How a set of contracts is priced together (a plan) is remembered for the day, so that asking for the
same subscription again costs array arithmetic only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.instants import NS_PER_MINUTE
from thetawarden.domain.market.contracts import OptionClass
from thetawarden.domain.market.hours import Phase
from thetawarden.domain.pricing.black import Greeks as ModelGreeks
from thetawarden.domain.pricing.black import spot_greeks
from thetawarden.domain.pricing.implied import implied_volatility
from thetawarden.practice.market.catalog import Catalog
from thetawarden.practice.market.clockwork import Clockwork
from thetawarden.practice.market.ids import OptionTerms, option_terms
from thetawarden.practice.market.levers import Levers
from thetawarden.practice.market.options import Pricer, Strip, Valued, greeks, is_american
from thetawarden.practice.market.quoting import Sides, haste, quote_options
from thetawarden.practice.market.roster import CLASSES, UNDERLYINGS
from thetawarden.practice.market.timeline import Timeline
from thetawarden.practice.market.volbook import VolBook
from thetawarden.practice.model import Greeks, Quote

Floats: TypeAlias = NDArray[np.float64]

_PLANS_MAX = 256


class Plan(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """How a set of options of one class is priced together."""

    terms: OptionClass
    strip: Strip
    codes: NDArray[np.int64]
    places: tuple[int, ...]
    """Where in the request each option stands."""
    ends_ns: NDArray[np.int64]


class OptionBoard:
    """Quotes of options at any instant."""

    def __init__(
        self,
        *,
        seed: int,
        timeline: Timeline,
        levers: Levers,
        pricer: Pricer,
        catalog: Catalog,
        clockwork: Clockwork,
        vol_book: VolBook,
    ) -> None:
        self._seed, self._timeline, self._levers = seed, timeline, levers
        self._pricer, self._catalog, self._clockwork = pricer, catalog, clockwork
        self._vol_book = vol_book
        self._plans: dict[tuple[tuple[int, ...], int], tuple[Plan, ...]] = {}

    def fill(self, found: list[Quote | None], con_ids: tuple[int, ...], now_ns: int) -> None:
        """Put the quotes of all options among the contracts into their places."""
        for plan in self._plans_of(con_ids, now_ns):
            for place, quote in zip(plan.places, self._options(plan, now_ns), strict=True):
                found[place] = quote

    def plan(self, con_id: int, now_ns: int) -> Plan | None:
        """Return how one option is priced, or None for what is no listed option."""
        return next(iter(self._plans_of((con_id,), now_ns)), None)

    def imply(
        self, con_id: int, now_ns: int, *, option_price: float, under_price: float
    ) -> Greeks | None:
        """Return Greeks at the volatility that explains a price; None when none does."""
        plan = self.plan(con_id, now_ns)
        if plan is None or not under_price > 0.0:
            return None
        valued = self._pricer.value(plan.strip, now_ns)
        implied = implied_volatility(
            price_usd=np.array([option_price]),
            forward=valued.forward * (under_price / valued.spot),
            strike=plan.strip.strike,
            discount=valued.discount,
            tau_years=valued.years,
            is_call=plan.strip.is_call,
        )
        iv = float(implied.iv_annual[0])
        if not np.isfinite(iv):
            return None
        return self.value(con_id, now_ns, iv_annual=iv, under_price=under_price)

    def value(
        self, con_id: int, now_ns: int, *, iv_annual: float, under_price: float
    ) -> Greeks | None:
        """Return price and Greeks of an option at a given volatility and spot."""
        plan = self.plan(con_id, now_ns)
        if plan is None or not under_price > 0.0 or not iv_annual > 0.0:
            return None
        valued = self._pricer.value(plan.strip, now_ns)
        found = spot_greeks(
            spot=under_price,
            forward=valued.forward * (under_price / valued.spot),
            strike=plan.strip.strike,
            discount=valued.discount,
            tau_years=valued.years,
            iv_annual=iv_annual,
            is_call=plan.strip.is_call,
        )
        return Greeks(
            iv_annual=iv_annual,
            price=float(found.price_usd[0]),
            delta=float(found.delta_per_share[0]),
            gamma=float(found.gamma_per_usd[0]),
            vega=float(found.vega_usd_per_vol_point[0]),
            theta=float(found.theta_usd_per_day[0]),
            pv_dividend=0.0,
            under_price=under_price,
        )

    def _options(self, plan: Plan, now_ns: int) -> list[Quote | None]:
        symbol = plan.strip.symbol
        valued = self._pricer.value(plan.strip, now_ns)
        model = greeks(plan.strip, valued, valued.iv_annual)
        segment = self._clockwork.segment_at(plan.terms.hours, now_ns)
        halted = self._levers.halted(symbol, now_ns)
        by_day = segment is not None and segment.phase is Phase.REGULAR
        opened = segment.open_ns if segment is not None else now_ns
        factor = self._haste(opened, now_ns, by_day=by_day)
        factor *= self._levers.widening(UNDERLYINGS[symbol].con_id, now_ns)
        sides = quote_options(
            terms=plan.terms,
            value=valued.value,
            spot=valued.spot,
            delta=model.delta_per_share,
            vega=model.vega_usd_per_vol_point,
            factor=factor,
            codes=plan.codes,
            now_ns=now_ns,
            seed=self._seed,
        )
        open_now = segment is not None and not halted
        return _quotes(
            codes=plan.codes,
            idle=Quote(con_id=0, at_ns=now_ns, halted=halted),
            valued=valued,
            model=model,
            sides=sides,
            shown=(plan.ends_ns > now_ns) & open_now,
        )

    def _haste(self, opened_ns: int, now_ns: int, *, by_day: bool) -> float:
        minutes = (now_ns - opened_ns) / NS_PER_MINUTE
        return haste(
            minutes_open=minutes, by_day=by_day, vix_level=self._vol_book.model_level(now_ns)
        )

    def _plans_of(self, con_ids: tuple[int, ...], now_ns: int) -> tuple[Plan, ...]:
        """Plans hold for a day: until something is listed, expires or begins to settle."""
        place = self._timeline.place(now_ns)
        key = (con_ids, 2 * place.row + place.by_day)
        plans = self._plans.get(key)
        if plans is None:
            if len(self._plans) >= _PLANS_MAX:
                self._plans.clear()
            plans = self._plans[key] = tuple(self._make_plans(con_ids, now_ns))
        return plans

    def _make_plans(self, con_ids: tuple[int, ...], now_ns: int) -> list[Plan]:
        today = self._timeline.date(self._timeline.row_of(now_ns))
        by_class: dict[str, list[tuple[int, OptionTerms]]] = {}
        for place, con_id in enumerate(con_ids):
            terms = option_terms(con_id, today=today)
            if terms is None:
                continue
            if CLASSES[terms.trading_class].underlying not in UNDERLYINGS:
                continue
            if terms.expiry >= today and self._catalog.is_listed(terms, now_ns):
                by_class.setdefault(terms.trading_class, []).append((place, terms))
        return [self._plan(name, rows, con_ids) for name, rows in by_class.items()]

    def _plan(
        self, name: str, rows: list[tuple[int, OptionTerms]], con_ids: tuple[int, ...]
    ) -> Plan:
        option_class = CLASSES[name]
        expiries = sorted({terms.expiry for _, terms in rows})
        at = {expiry: n for n, expiry in enumerate(expiries)}
        ends = [self._pricer.terms(option_class, expiry) for expiry in expiries]
        settlement = np.array([one.settlement_ns for one in ends if one is not None])
        last = np.array([one.last_trade_ns for one in ends if one is not None])
        expiry_at = np.array([at[terms.expiry] for _, terms in rows])
        return Plan(
            terms=option_class,
            strip=Strip(
                symbol=option_class.underlying,
                settlement_ns=settlement,
                expiry_at=expiry_at,
                strike=np.array([terms.strike for _, terms in rows]),
                is_call=np.array([not terms.is_put for _, terms in rows]),
                american=is_american(name),
            ),
            codes=np.array([con_ids[place] for place, _ in rows], dtype=np.int64),
            places=tuple(place for place, _ in rows),
            ends_ns=last[expiry_at],
        )


def _quotes(
    *,
    codes: NDArray[np.int64],
    idle: Quote,
    valued: Valued,
    model: ModelGreeks,
    sides: Sides,
    shown: NDArray[np.bool_],
) -> list[Quote | None]:
    """Turn columns into quotes; what is not shown has no bid and no ask."""
    computed = [
        Greeks(
            iv_annual=iv,
            price=value,
            delta=delta,
            gamma=gamma,
            vega=vega,
            theta=theta,
            pv_dividend=0.0,
            under_price=valued.spot,
        )
        for value, iv, delta, gamma, vega, theta in _rows(
            valued.value,
            valued.iv_annual,
            model.delta_per_share,
            model.gamma_per_usd,
            model.vega_usd_per_vol_point,
            model.theta_usd_per_day,
        )
    ]
    market = _rows(sides.bid, sides.ask, sides.bid_size, sides.ask_size, shown)
    return [
        Quote(
            con_id=code,
            at_ns=idle.at_ns,
            bid=bid if live else None,
            ask=ask if live else None,
            bid_size=bid_size if live else 0,
            ask_size=ask_size if live else 0,
            mark=greek.price,
            halted=idle.halted,
            model=greek,
        )
        for code, greek, (bid, ask, bid_size, ask_size, live) in zip(
            codes.tolist(), computed, market, strict=True
        )
    ]


def _rows(*columns: NDArray[Any]) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.tolist() for column in columns), strict=True)
