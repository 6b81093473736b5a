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

from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.lines import LinePriority, LineWant
from thetawarden.domain.broker.quote import Quote
from thetawarden.domain.broker.quote_rows import quote_at, quote_rows
from thetawarden.domain.chains.folding import NO_ROW, Arrival, fold_quotes
from thetawarden.domain.chains.identity import SeriesKey
from thetawarden.domain.chains.model import (
    Gaps,
    SeriesModel,
    fit_model,
    has_aged,
    refresh_rows,
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
from thetawarden.domain.chains.verdicts import Frame, doubt_quotes
from thetawarden.domain.chains.view import ChainView
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.market.contracts import ExerciseStyle
from thetawarden.domain.pricing.arrays import BoolArray
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
        self._cut_ns, self._gaps, self._fitted_rows = rest.cut_ns, rest.gaps, rest.fitted_rows
        pace = settings.pace
        self._arrivals: list[Arrival] = []
        self._table = (
            unpack_columns(rest.table, QuoteTable) if rest.table else table_of((), (), pace=pace)
        )
        self._model = unpack_columns(rest.model, SeriesModel) if rest.model else None
        self._index()

    def at_rest(self) -> BoardState:
        """Everything there is to remember."""
        return BoardState(
            series=self.series,
            rows=self.rows,
            table=pack_columns(self.table),
            model={} if self._model is None else pack_columns(self._model),
            gaps=self._gaps,
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
        if self._model is None:
            return True
        lacks = bool((priced & np.isnan(table.smile_iv_annual)).any())
        many_more = np.count_nonzero(priced) > _MANY_MORE * self._fitted_rows
        american = self.series[0].style is ExerciseStyle.AMERICAN
        pause_ns = pace.fit_american_ns if american else pace.fit_ns
        if since_ns < pause_ns:
            return bool(lacks and many_more)
        return bool(
            lacks
            or many_more
            or since_ns >= pace.fit_calm_pauses * pause_ns
            or has_aged(self._model, spot_usd=spot_usd, since_ns=since_ns)
        )

    def _priced(self, now: UnixNs) -> BoolArray:
        """The rows that have a price of this link, and were heard of lately."""
        table, age_ns_max = self.table, self._settings.limits.age_ns_max
        priced: BoolArray = table.linked & np.isfinite(table.sound_mid_usd)
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
        rows = self._rows_of(conids)
        if max(rows, default=NO_ROW) == NO_ROW:
            return spoke
        self._arrivals.append(Arrival(now, self.spot.price_usd or math.nan, rows, written))
        if len(self._arrivals) >= _ARRIVALS_MAX:
            self._fold()
        return True

    def _rows_of(self, conids: Sequence[int]) -> list[int]:
        """In which row each quote belongs; of those of one option the last alone has any."""
        row_of = self._places.get
        rows = [row_of(conid, NO_ROW) for conid in conids]
        if len(set(conids)) < len(conids):
            last = {conid: at for at, conid in enumerate(conids)}
            rows = [
                row if last[conid] == at else NO_ROW
                for at, (conid, row) in enumerate(zip(conids, rows, strict=True))
            ]
        return rows

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
        frame, before = self._frame(today, now), self._model
        if not self.series or not frame.spot_sure:
            return False
        usable = doubt_quotes(self.table, frame, self._settings.limits) == 0
        self._model, self._gaps = fit_model(
            self.table,
            usable=usable,
            spot_usd=self.spot.price_usd,
            settlement_ns=np.array([one.settles_ns for one in self.series], dtype=np.int64),
            now_ns=now,
            exercise=self.series[0].style,
            habits=self._settings.habits,
        )
        self.table.dirty[:] = False
        self.fitted_ns, self._fitted_rows = now, int(np.count_nonzero(self._priced(now)))
        self._sample_skew(now)
        found = np.isfinite(self._model.atm_iv_annual)
        return bool((found if before is None else found & np.isnan(before.atm_iv_annual)).any())

    def look(self, *, underlying: str, number: int, today: dt.date, now: UnixNs) -> ChainView:
        """What the chain looks like now."""
        self._refresh()
        doubt = doubt_spot(self.spot, now_ns=now, limits=self._settings.spot)
        return draw(
            underlying=underlying,
            number=number,
            epoch=self.epoch,
            series=self.series,
            table=self.table,
            model=self._model,
            gaps=self._gaps,
            fitted_ns=self.fitted_ns,
            spot=self.spot,
            spot_doubt=doubt,
            skews=self.skews,
            frame=self._frame(today, now),
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

    def _refresh(self) -> None:
        rows = np.flatnonzero(self.table.dirty)
        if self._model is None or not rows.size or not self.spot.price_usd:
            return
        refresh_rows(self.table, self._model, rows, spot_usd=self.spot.price_usd)
        self.table.dirty[rows] = False

    def _take_rows(self, series: tuple[WatchedSeries, ...], rows: tuple[PlannedRow, ...]) -> None:
        if _options_of(rows, series) == _options_of(self.rows, self.series):
            self.table.refresh_ns[:] = refreshes(rows, pace=self._settings.pace)
            self.rows = rows
            return
        table = table_of(rows, series, pace=self._settings.pace)
        carry_over(self.table, table)
        if self._model is not None and self._gaps is not None:
            places = {one.key: at for at, one in enumerate(self.series)}
            order = [places.get(one.key, -1) for one in series]
            self._model, self._gaps = reordered(self._model, self._gaps, order)
        self._table, self.rows = table, rows
        self._index()

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
        if self._model is None or self._gaps is None:
            return None
        at = next((at for at, one in enumerate(self.series) if one.key == key), None)
        return None if at is None else (smiles_of(self._model, self._gaps), at)

    def _sample_skew(self, now: UnixNs) -> None:
        """Keep the chain's skew of this moment, the middle one of its expiries, as history."""
        if self._model is None or now - self._skew_ns < self._settings.pace.skew_sample_ns:
            return
        known = self._model.skew_normalised[np.isfinite(self._model.skew_normalised)]
        if known.size:
            self._skew_ns = now
            self.skews.append(float(np.median(known)))
            del self.skews[: -self._settings.skew_samples_max]


def _options_of(
    rows: Sequence[PlannedRow], series: Sequence[WatchedSeries]
) -> tuple[list[SeriesKey], list[int]]:
    return [one.key for one in series], [row.conid for row in rows]
