"""Holds all a watcher knows of one chain while it runs, and answers what it looks like now.

No thread, clock or message: told what is quoted, cut off or planned anew, with the instant. Its
whole memory packs into a `BoardState` and comes back from it bit by bit, so that what it says next
does not depend on whether it was ever put away.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.lines import LinePriority, LineWant
from thetawarden.domain.broker.quote import Quote
from thetawarden.domain.broker.quote_rows import quote_at, quote_rows
from thetawarden.domain.chains.fitting import (
    can_read_again,
    fit_model,
    model_new_rows,
    refresh_rows,
)
from thetawarden.domain.chains.folding import NO_ROW, Arrival, fold_quotes, rows_of
from thetawarden.domain.chains.identity import SeriesKey
from thetawarden.domain.chains.model import (
    Fitted,
    Gaps,
    SeriesModel,
    carried,
    has_aged,
    reordered,
    smiles_of,
)
from thetawarden.domain.chains.packing import Columns, pack_columns, unpack_columns
from thetawarden.domain.chains.picture import draw
from thetawarden.domain.chains.plan import (
    PlannedRow,
    WatchedSeries,
    choose_rows,
    line_wants,
    plan_rows,
    refreshes,
    table_of,
)
from thetawarden.domain.chains.settings import WatchSettings
from thetawarden.domain.chains.spot import Spot, doubt_spot, invalidated, observe_spot
from thetawarden.domain.chains.table import QuoteTable, carry_over, cut_link
from thetawarden.domain.chains.verdicts import Frame, doubt_frozen, doubt_quotes
from thetawarden.domain.chains.view import ChainView
from thetawarden.domain.instants import UnixNs, new_york_date
from thetawarden.domain.market.contracts import ExerciseStyle
from thetawarden.domain.market.expiry import tau_calendar_years
from thetawarden.domain.pricing.arrays import BoolArray, Rows
from thetawarden.domain.surface.smile import Smiles

_ARRIVALS_MAX = 64
"""So many messages of quotes wait to be taken in together, where nobody looks."""
_MANY_MORE = 1.25
"""So many times the options of the last fit are quoted where prices are still coming in."""


class BoardState(msgspec.Struct, frozen=True, kw_only=True):
    """A board at rest; `fitted_rows` had a price when the model was fitted."""

    series: tuple[WatchedSeries, ...] = ()
    rows: tuple[PlannedRow, ...] = ()
    table: Columns = {}
    model: Columns = {}
    gaps: Gaps | None = None
    fitted_ns: UnixNs = UnixNs(0)
    fitted_rows: int = 0
    spot: Spot = Spot()
    skews: tuple[float, ...] = ()
    skew_ns: UnixNs = UnixNs(0)
    epoch: int = 0
    link_up: bool = False
    cut_ns: UnixNs = UnixNs(0)


class Board:
    """A chain as it is known at the moment."""

    def __init__(self, settings: WatchSettings, state: BoardState | None = None) -> None:
        rest = state or BoardState()
        self._settings = settings
        self.series, self.rows, self.spot = rest.series, rest.rows, rest.spot
        self.epoch, self.link_up, self.fitted_ns = rest.epoch, rest.link_up, rest.fitted_ns
        self.skews, self._skew_ns = list(rest.skews), rest.skew_ns
        self._cut_ns, self._fitted_rows = rest.cut_ns, rest.fitted_rows
        pace = settings.pace
        self._arrivals: list[Arrival] = []
        self._table = (
            unpack_columns(rest.table, QuoteTable) if rest.table else table_of((), (), pace=pace)
        )
        self._fitted: Fitted | None = None
        if rest.model and rest.gaps is not None:
            self._fitted = Fitted(unpack_columns(rest.model, SeriesModel), rest.gaps)
        self._index()

    def at_rest(self) -> BoardState:
        """Everything there is to remember."""
        fitted = self._fitted
        return BoardState(
            series=self.series,
            rows=self.rows,
            table=pack_columns(self.table),
            model={} if fitted is None else pack_columns(fitted.model),
            gaps=None if fitted is None else fitted.gaps,
            fitted_ns=self.fitted_ns,
            fitted_rows=self._fitted_rows,
            spot=self.spot,
            skews=tuple(self.skews),
            skew_ns=self._skew_ns,
            epoch=self.epoch,
            link_up=self.link_up,
            cut_ns=self._cut_ns,
        )

    @property
    def table(self) -> QuoteTable:
        """Every option, with all that was quoted of it so far."""
        if self._arrivals:
            self._fold()
        return self._table

    def is_fit_due(self, now: UnixNs) -> bool:
        """Whether a full fit is worth its time now; early exercise makes it dear.

        What lacks a model though it has a price waits for no pause while prices are coming in.
        """
        pace, since_ns, spot_usd = self._settings.pace, now - self.fitted_ns, self.spot.price_usd
        if since_ns < pace.view_ns or not self.series or not spot_usd:
            return False
        table, priced = self.table, self._priced(now)
        if not (priced & (table.sound_ns > self.fitted_ns)).any():
            return False
        if self._fitted is None:
            return True
        american = self.series[0].style is ExerciseStyle.AMERICAN
        pause_ns = pace.fit_american_ns if american else pace.fit_ns
        many_more = np.count_nonzero(priced) > _MANY_MORE * self._fitted_rows
        if since_ns < pause_ns:
            return bool(many_more and self._lacks(priced, now))
        return bool(
            many_more
            or since_ns >= pace.fit_calm_pauses * pause_ns
            or has_aged(self._fitted.model, spot_usd=spot_usd, since_ns=since_ns)
            or self._lacks(priced, now)
        )

    def _lacks(self, priced: BoolArray, now: UnixNs) -> bool:
        """Whether something that has a price has no model, or one that can be read anew by now."""
        if (priced & np.isnan(self.table.smile_iv_annual)).any():
            return True
        unread = () if self._fitted is None else self._fitted.gaps.unread
        if not any(unread):
            return False
        frame = self._frame(new_york_date(now), now)
        codes = doubt_quotes(self.table, frame, self._settings.limits)
        return can_read_again(self.table, unread, usable=codes == 0)

    def _priced(self, now: UnixNs) -> BoolArray:
        """The rows that live on, have a price of this link, and were heard of lately."""
        table, age_ns_max = self.table, self._settings.limits.age_ns_max
        ends_ns = [min(one.last_trade_ns, one.settles_ns) for one in self.series]
        lives = np.array(ends_ns, dtype=np.int64) > now
        priced: BoolArray = lives[table.series] & table.linked & np.isfinite(table.sound_mid_usd)
        priced &= now - table.at_ns <= age_ns_max + table.refresh_ns
        return priced

    def hear_link(self, *, epoch: int, up: bool, now: UnixNs) -> None:
        """Note the state of the link; what was quoted over one that failed counts no more."""
        if epoch != self.epoch or not up:
            self._cut(now)
        self.epoch, self.link_up = epoch, up

    def observe(self, written: bytes, *, epoch: int, underlying: Instrument, now: UnixNs) -> bool:
        """Take quotes in that were written as rows; false when nothing of them concerns us."""
        if epoch < self.epoch:
            return False
        if epoch > self.epoch:  # data of a link is as good as word of it
            self.hear_link(epoch=epoch, up=True, now=self._cut_ns)
        conids: list[int] = quote_rows(written)["conid"].tolist()
        spoke = underlying.conid in conids
        if spoke:
            for place, conid in enumerate(conids):
                if conid == underlying.conid:
                    self._note_spot(quote_at(written, place), underlying)
        rows = rows_of(conids, self._places)
        if max(rows, default=NO_ROW) == NO_ROW:
            return spoke
        self._arrivals.append(Arrival(now, self.spot.price_usd or math.nan, rows, written))
        if len(self._arrivals) >= _ARRIVALS_MAX:
            self._fold()
        return True

    def _note_spot(self, quote: Quote, underlying: Instrument) -> None:
        self.spot = observe_spot(
            self.spot,
            quote,
            by_middle=underlying.kind is not InstrumentKind.INDEX,
            limits=self._settings.spot,
        )

    def replan(
        self,
        series: Sequence[WatchedSeries],
        *,
        interest: Mapping[int, LinePriority],
        today: dt.date,
        choose: bool = True,
    ) -> bool:
        """Plan the rows of these series anew; false when everything stays as it is.

        Strikes are chosen again if wanted, from what was chosen before on; a series that is new
        has its strikes chosen in any case.
        """
        before = {one.key: one for one in self.series}
        fresh = tuple(
            msgspec.structs.replace(one, choice=before[one.key].choice)
            if one.key in before and before[one.key].contracts.strikes == one.contracts.strikes
            else one
            for one in series
        )
        spot_usd = self.spot.price_usd or self.spot.reference_usd
        if spot_usd:
            fresh = choose_rows(
                fresh,
                smiles=[self._smile(one.key) for one in fresh],
                spot_usd=spot_usd,
                today=today,
                settings=self._settings,
                again=choose,
            )
        rows = plan_rows(
            fresh,
            spot_usd=spot_usd,
            interest=interest,
            near_expiries=self._settings.entries.expiries,
        )
        same = rows == self.rows and [one.key for one in fresh] == [*before]
        if not same:
            self._take_rows(fresh, rows)
        self.series = fresh
        return not same

    def wants(self, underlying: Instrument) -> tuple[LineWant, ...]:
        """The market data that this board lives on."""
        return line_wants(self.rows, self.series, underlying=underlying, pace=self._settings.pace)

    def fit(self, *, today: dt.date, now: UnixNs) -> bool:
        """Fit the model to all quotes that may be used; without a sure price it stays as it is.

        True where a series has a smile that had none: strikes are better chosen by it.
        """
        frame, before = self._frame(today, now), self._fitted
        if not self.series or not frame.spot_sure:
            return False
        usable = doubt_quotes(self.table, frame, self._settings.limits) == 0
        self._fitted = fit_model(
            self.table,
            usable=usable,
            spot_usd=self.spot.price_usd,
            settlement_ns=self._settlements_ns(),
            now_ns=now,
            exercise=self.series[0].style,
            habits=self._settings.habits,
            before=before,
            kept_ns_max=self._settings.pace.model_kept_ns_max,
        )
        self.table.dirty[:] = False
        self.fitted_ns, self._fitted_rows = now, int(np.count_nonzero(self._priced(now)))
        self._sample_skew(now)
        found = self._fitted.has_smile
        return bool((found if before is None else found & ~before.has_smile).any())

    def look(self, *, underlying: str, number: int, today: dt.date, now: UnixNs) -> ChainView:
        """What the chain looks like now."""
        known, frame = self._carried(now), self._frame(today, now)
        self._refresh(np.flatnonzero(self.table.dirty), known)
        codes = doubt_quotes(self.table, frame, self._settings.limits)
        passed_over = self._passed_over(codes == 0)
        if passed_over.size:
            self._refresh(passed_over, known)
            codes = doubt_frozen(self.table, frame, self._settings.limits, codes)
        doubt = doubt_spot(self.spot, now_ns=now, limits=self._settings.spot)
        return draw(
            underlying=underlying,
            number=number,
            epoch=self.epoch,
            series=self.series,
            table=self.table,
            fitted=self._fitted,
            carried=known,
            fitted_ns=self.fitted_ns,
            spot=self.spot,
            spot_doubt=doubt,
            skews=self.skews,
            frame=frame,
            quote_codes=codes,
            limits=self._settings.limits,
        )

    def _frame(self, today: dt.date, now: UnixNs) -> Frame:
        doubt = doubt_spot(self.spot, now_ns=now, limits=self._settings.spot)
        return Frame(
            now_ns=now,
            link_up=self.link_up,
            spot_usd=self.spot.price_usd or math.nan,
            spot_sure=doubt is None,
            underlying_halted=self.spot.halted,
            last_trade_ns=np.array([one.last_trade_ns for one in self.series], dtype=np.int64),
            qualified=np.array([one.contracts.day >= today for one in self.series], dtype=np.bool_),
        )

    def _settlements_ns(self) -> NDArray[np.int64]:
        return np.array([one.settles_ns for one in self.series], dtype=np.int64)

    def _passed_over(self, usable: BoolArray) -> Rows:
        """The rows that have become usable since a fit did without them, at the price they had."""
        if self._fitted is None:
            return np.flatnonzero(np.zeros_like(usable))
        table = self.table
        unpriced = np.isnan(table.iv_annual) & (table.iv_code == 0)
        return np.flatnonzero(usable & unpriced & self._fitted.has_smile[table.series])

    def _carried(self, now: UnixNs) -> SeriesModel | None:
        """The model at this instant; at the price of the fit where there is none."""
        if self._fitted is None:
            return None
        model, price_usd = self._fitted.model, self.spot.price_usd
        spot_usd = np.full(len(self.series), price_usd) if price_usd else model.spot_usd
        tau_years = tau_calendar_years(now_ns=now, settlement_ns=self._settlements_ns())
        return carried(model, spot_usd=spot_usd, tau_years=tau_years)

    def _refresh(self, rows: Rows, known: SeriesModel | None) -> None:
        if known is None or not rows.size or not self.spot.price_usd:
            return
        refresh_rows(self.table, known, rows, spot_usd=self.spot.price_usd)
        self.table.dirty[rows] = False

    def _take_rows(self, series: tuple[WatchedSeries, ...], rows: tuple[PlannedRow, ...]) -> None:
        if _options_of(rows, series) == _options_of(self.rows, self.series):
            self.table.refresh_ns[:] = refreshes(rows, pace=self._settings.pace)
            self.rows = rows
            return
        table = table_of(rows, series, pace=self._settings.pace)
        carry_over(self.table, table)
        if self._fitted is not None:
            places = {one.key: at for at, one in enumerate(self.series)}
            self._fitted = reordered(self._fitted, [places.get(one.key, -1) for one in series])
        self._table, self.rows = table, rows
        self._index()
        if self._fitted is not None:
            style = series[0].style if series else ExerciseStyle.EUROPEAN
            table.dirty[model_new_rows(table, self._fitted, exercise=style)] = True

    def _fold(self) -> None:
        """Take in what has come: for many quotes it costs little more than for one."""
        arrivals, self._arrivals = self._arrivals, []
        fold_quotes(self._table, arrivals, cut_ns=self._cut_ns, limits=self._settings.limits)

    def _index(self) -> None:
        self._places = {conid: row for row, conid in enumerate(self._table.conid.tolist())}

    def _cut(self, now: UnixNs) -> None:
        cut_link(self.table)
        self._cut_ns = now
        self.spot = invalidated(self.spot)

    def _smile(self, key: SeriesKey) -> tuple[Smiles, int] | None:
        if self._fitted is None:
            return None
        at = next((at for at, one in enumerate(self.series) if one.key == key), None)
        return None if at is None else (smiles_of(self._fitted), at)

    def _sample_skew(self, now: UnixNs) -> None:
        """Keep the chain's skew of this moment, the middle one of its expiries, as history."""
        if self._fitted is None or now - self._skew_ns < self._settings.pace.skew_sample_ns:
            return
        skews = self._fitted.model.skew_normalised
        read = np.array([not gap for gap in self._fitted.gaps.unread], dtype=np.bool_)
        known = skews[np.isfinite(skews) & read]
        if known.size:
            self._skew_ns = now
            self.skews.append(float(np.median(known)))
            del self.skews[: -self._settings.skew_samples_max]


def _options_of(
    rows: Sequence[PlannedRow], series: Sequence[WatchedSeries]
) -> tuple[list[SeriesKey], list[int]]:
    return [one.key for one in series], [row.conid for row in rows]
