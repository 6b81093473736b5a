"""Quotes options: those of a class in one pass, with fair value, Greeks and both sides.

How a set of contracts is priced together (a plan) is remembered for the day, so that asking for the
same subscription again costs array arithmetic only.
"""

from __future__ import annotations

import datetime as dt
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.instants import new_york_date
from thetawarden.domain.market.contracts import OptionClass
from thetawarden.domain.pricing.implied import implied_volatility
from thetawarden.practice.market.catalog import Catalog
from thetawarden.practice.market.clockwork import Clockwork
from thetawarden.practice.market.ids import OptionTerms, option_terms
from thetawarden.practice.market.levers import Levers
from thetawarden.practice.market.option_tape import Day, OptionTape
from thetawarden.practice.market.options import Pricer, Strip, greeks, is_american
from thetawarden.practice.market.pace import Pace
from thetawarden.practice.market.quoting import option_sides, quote_options
from thetawarden.practice.market.roster import CLASSES
from thetawarden.practice.market.sheet import Sheet, quotes_of
from thetawarden.practice.market.timeline import Timeline
from thetawarden.practice.model import Greeks, Quote

Floats: TypeAlias = NDArray[np.float64]

PlanKey: TypeAlias = tuple[tuple[int, ...], int, dt.date]
"""The contracts asked for together, and the part of which day they were asked in."""

_PLANNED_OPTIONS_MAX = 60_000
_GUESS_ANNUAL = 0.25
_IMPLYING_ROUNDS = 12
"""Of a volatility, and of what early exercise is worth at it."""


class Plan(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """How a set of options of one class is priced together."""

    terms: OptionClass
    strip: Strip
    codes: NDArray[np.int64]
    places: tuple[int, ...]
    """Where in the request each option stands."""
    ends_ns: NDArray[np.int64]
    day: Day
    quoted: dict[int, list[Quote | None]]
    """The latest quotes, by their instant."""


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
        pace: Pace,
        tape: OptionTape,
    ) -> None:
        self._seed, self._timeline, self._levers = seed, timeline, levers
        self._pricer, self._catalog, self._clockwork = pricer, catalog, clockwork
        self._pace, self._tape = pace, tape
        self._plans: dict[PlanKey, tuple[Plan, ...]] = {}
        self._planned = 0

    def forget(self) -> None:
        """Drop what was remembered."""
        self._plans.clear()
        self._planned = 0
        self._tape.forget()

    def fill(self, found: list[Quote | None], con_ids: tuple[int, ...], now_ns: int) -> None:
        """Put the quotes of all options among the contracts into their places."""
        for plan in self._plans_of(con_ids, now_ns):
            hours = plan.terms.hours
            live_ns = self._clockwork.live_ns(hours, now_ns)
            if live_ns not in plan.quoted:
                is_open = self._clockwork.segment_at(hours, now_ns) is not None
                quotes = self._options(plan, live_ns, is_open=is_open)
                plan.quoted.clear()
                plan.quoted[live_ns] = quotes
            for place, quote in zip(plan.places, plan.quoted[live_ns], strict=True):
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
        strip = plan.strip
        iv = np.array([_GUESS_ANNUAL])
        for _ in range(_IMPLYING_ROUNDS if strip.american else 1):
            valued = self._pricer.value_if(strip, now_ns, under_price=under_price, iv_annual=iv)
            added = 0.0 if valued.early is None else float(valued.early.worth[0])
            iv = implied_volatility(
                price_usd=np.array([option_price - added]),
                forward=valued.forward,
                strike=strip.strike,
                discount=valued.discount,
                tau_years=valued.years,
                is_call=strip.is_call,
            ).iv_annual
            if not np.isfinite(iv[0]):
                return None
        return self.value(con_id, now_ns, iv_annual=float(iv[0]), under_price=under_price)

    def value(
        self, con_id: int, now_ns: int, *, iv_annual: float, under_price: float
    ) -> Greeks | None:
        """Return price and Greeks of an option at a given volatility and spot."""
        plan = self.plan(con_id, now_ns)
        if plan is None or not under_price > 0.0 or not iv_annual > 0.0:
            return None
        valued = self._pricer.value_if(
            plan.strip, now_ns, under_price=under_price, iv_annual=np.array([iv_annual])
        )
        found = greeks(plan.strip, valued, valued.iv_annual)
        return Greeks(
            iv_annual=iv_annual,
            price=float(valued.value[0]),
            delta=float(found.delta_per_share[0]),
            gamma=float(found.gamma_per_usd[0]),
            vega=float(found.vega_usd_per_vol_point[0]),
            theta=float(found.theta_usd_per_day[0]),
            pv_dividend=0.0,
            under_price=under_price,
        )

    def sides_over(
        self, con_ids: tuple[int, ...], at_ns: NDArray[np.int64]
    ) -> tuple[Floats, Floats] | None:
        """Return bids and asks at many instants (rows), as `fill` would find them.

        They hold until something intervenes. NaN from the end of trading on; None for what is not
        all options of one class, or does not trade at the first instant.
        """
        first_ns = int(at_ns[0])
        plans = self._plans_of(con_ids, first_ns)
        if len(plans) != 1 or len(plans[0].places) != len(con_ids):
            return None
        (plan,) = plans
        segment = self._clockwork.segment_at(plan.terms.hours, first_ns)
        symbol = plan.strip.symbol
        if segment is None or self._levers.halted(symbol, first_ns):
            return None
        trading = at_ns < min(segment.close_ns, int(plan.ends_ns.min()))
        if not trading.any():
            return None
        course = self._pricer.course(plan.strip, at_ns[trading])
        sides = option_sides(
            terms=plan.terms,
            value=course.value,
            spot=course.spot,
            delta=course.delta_per_share,
            vega=course.vega_usd_per_vol_point,
            factor=self._pace.factors(segment, symbol=symbol, at_ns=at_ns[trading])[:, None],
        )
        bid, ask = (np.full((len(at_ns), len(con_ids)), np.nan) for _ in sides)
        bid[trading], ask[trading] = sides
        return bid, ask

    def _options(self, plan: Plan, now_ns: int, *, is_open: bool) -> list[Quote | None]:
        symbol, strip, terms, codes = plan.strip.symbol, plan.strip, plan.terms, plan.codes
        valued = self._pricer.value(strip, now_ns)
        model = greeks(strip, valued, valued.iv_annual)
        halted = self._levers.halted(symbol, now_ns)
        sides = quote_options(
            terms=terms,
            value=valued.value,
            spot=valued.spot,
            delta=model.delta_per_share,
            vega=model.vega_usd_per_vol_point,
            factor=self._pace.factor(hours=terms.hours, symbol=symbol, at_ns=now_ns),
            codes=codes,
            now_ns=now_ns,
            seed=self._seed,
        )
        self._tape.forward(plan.day, strip=strip, terms=terms, codes=codes, to_ns=now_ns)
        sheet = Sheet(
            at_ns=now_ns,
            codes=codes,
            strip=strip,
            valued=valued,
            model=model,
            sides=sides,
            shown=(plan.ends_ns > now_ns) & is_open & (not halted),
            halted=halted,
            day=plan.day,
            volume=self._tape.volume(plan.day),
        )
        return quotes_of(sheet)

    def _plans_of(self, con_ids: tuple[int, ...], now_ns: int) -> tuple[Plan, ...]:
        """Plans hold for a day: until something is listed, expires or begins to settle."""
        place = self._timeline.place(now_ns)
        key = (con_ids, 2 * place.row + place.by_day, new_york_date(now_ns))
        plans = self._plans.get(key)
        if plans is None:
            plans = self._plans[key] = tuple(self._make_plans(con_ids, now_ns))
            self._planned += len(con_ids)
            self._drop_oldest(but=key)
        return plans

    def _drop_oldest(self, *, but: PlanKey) -> None:
        """Forget what was asked longest ago, until what is remembered is bounded."""
        for key in list(self._plans):
            if self._planned <= _PLANNED_OPTIONS_MAX or key == but:
                return
            del self._plans[key]
            self._planned -= len(key[0])

    def _make_plans(self, con_ids: tuple[int, ...], now_ns: int) -> list[Plan]:
        today = new_york_date(now_ns)
        by_class: dict[str, list[tuple[int, OptionTerms]]] = {}
        for place, con_id in enumerate(con_ids):
            terms = option_terms(con_id, today=today)
            if terms is None:
                continue
            if terms.expiry >= today and self._catalog.is_listed(terms, now_ns):
                by_class.setdefault(terms.trading_class, []).append((place, terms))
        row = self._timeline.begun_row(now_ns)
        return [self._plan(name, rows, con_ids, row) for name, rows in by_class.items()]

    def _plan(
        self,
        name: str,
        rows: list[tuple[int, OptionTerms]],
        con_ids: tuple[int, ...],
        row: int,
    ) -> Plan:
        option_class = CLASSES[name]
        expiries = sorted({terms.expiry for _, terms in rows})
        at = {expiry: n for n, expiry in enumerate(expiries)}
        ends = [self._pricer.terms(option_class, expiry) for expiry in expiries]
        settlement = np.array([one.settlement_ns for one in ends if one is not None])
        last = np.array([one.last_trade_ns for one in ends if one is not None])
        expiry_at = np.array([at[terms.expiry] for _, terms in rows])
        strip = Strip(
            symbol=option_class.underlying,
            settlement_ns=settlement,
            expiry_at=expiry_at,
            strike=np.array([terms.strike for _, terms in rows]),
            is_call=np.array([not terms.is_put for _, terms in rows]),
            american=is_american(name),
        )
        codes = np.array([con_ids[place] for place, _ in rows], dtype=np.int64)
        return Plan(
            terms=option_class,
            strip=strip,
            codes=codes,
            places=tuple(place for place, _ in rows),
            ends_ns=last[expiry_at],
            day=self._tape.begin(strip, option_class, codes, row),
            quoted={},
        )
