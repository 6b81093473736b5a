"""A store with a real message log and a lake, and a clock that only moves when told."""

import contextlib
import datetime as dt
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from thetawarden.domain.books.fills import CommissionKind
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.broker.account import AccountValues
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.orders import Execution
from thetawarden.domain.chains.view import (
    ROW_TYPES,
    ChainSummary,
    ChainView,
    SeriesView,
    pack_rows,
)
from thetawarden.domain.instants import UnixNs, new_york_ns
from thetawarden.domain.market.contracts import Right, Settlement
from thetawarden.infra.journal.journal import Journal
from thetawarden.infra.journal.recover import recover
from thetawarden.infra.lake.household import Household
from thetawarden.infra.lake.housekeeping import maintain
from thetawarden.infra.lake.keeping import LakeWork
from thetawarden.infra.lake.place import LakePlace
from thetawarden.infra.lake.store import Tuning
from thetawarden.infra.lake.writer import WriterSettings
from thetawarden.messages.books import AccountReported, FillBooked
from thetawarden.messages.chains import ChainViewed
from thetawarden.messages.operations import NotifyPerson, Urgency

DAY = dt.date(2026, 3, 2)
NOON = new_york_ns(DAY, dt.time(12))
SECOND = 1_000_000_000


class Hands:
    """A clock whose hands are moved by the test."""

    speed = 1.0

    def __init__(self):
        self.at = NOON

    def now_ns(self):
        return UnixNs(self.at)

    def monotonic_ns(self):
        return self.at


class Desk:
    """A message log, a lake, and what the lake's thread does, without the thread."""

    def __init__(self, store, place=None, **settings):
        self.folder = store / "log"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.clock = Hands()
        self.day = DAY
        self.settings = settings
        self.tuning = Tuning(fold_files=8, keep_removed=dt.timedelta(0))
        self.place = place or LakePlace(str(store / "lake"))
        self.journal = self.work = None
        self.kept_days = 0
        self.views_per_kept = 1

    @property
    def household(self):
        return Household(
            place=self.place,
            log_folder=self.folder,
            log="log-1",
            log_kept_days=self.kept_days,
            tuning=self.tuning,
            views_per_kept=self.views_per_kept,
        )

    def open(self):
        position = recover(self.folder, ()).position
        self.journal = Journal(
            self.folder, day=self.day, position=position, software="test", linger_s=0.0
        )
        return self

    def log(self, body):
        """Say something durably, without telling the lake."""
        envelope = self.journal.say(body, "test", 0, None, self.clock.now_ns())
        self.journal.wait_durable(envelope.seq, 10)
        return envelope

    def begin(self):
        """The lake's thread starts."""
        self.work = LakeWork(
            self.household,
            clock=self.clock,
            settings=WriterSettings(**self.settings),
            keep=lambda day: maintain(self.household, day=day, clock=self.clock),
        )
        return self.work

    def hand_over(self):
        """The same for a thread of its own, which also lets go of it."""
        work, self.work = self.begin(), None
        return work

    def say(self, body):
        """Say something durably and tell the lake."""
        envelope = self.log(body)
        self.work.writer.take(envelope)
        return envelope

    def flush(self):
        return self.work.writer.flush()

    def turn(self, days=1):
        """A new trading day begins."""
        self.day += dt.timedelta(days=days)
        self.clock.at += days * 24 * 3600 * SECOND
        self.journal.turn_page(self.day)

    def rows(self, table):
        """What a reader finds in a table."""
        return pl.scan_delta(self.place.table(table), storage_options=self.place.reading).collect()

    def close(self):
        for each in (self.work, self.journal):
            if each is not None:
                each.close()
        self.work = self.journal = None


@pytest.fixture
def desk(tmp_path):
    with contextlib.closing(Desk(tmp_path)) as each:
        yield each.open()


def note(text="hello"):
    return NotifyPerson(urgency=Urgency.LOW, topic="test", text=text)


def chain(underlying="SPX", options=3, *, number=0, **columns):
    """A view of so many puts, all alike but for strike and what is said otherwise."""
    filled = {
        name: np.full(options, columns.get(name, 1), dtype=kind) for name, kind in ROW_TYPES.items()
    }
    filled["conid"] = np.arange(options)
    filled["strike_usd"] = 5_800.0 + 5.0 * np.arange(options)
    filled["series"] = np.zeros(options, dtype="<i2")
    filled["doubt"] = np.full(options, columns.get("doubt", 0))
    filled["is_call"] = np.zeros(options, dtype=bool)
    filled["at_ns"] = np.full(options, NOON)
    series = SeriesView(
        trading_class="SPXW",
        expiry=dt.date(2026, 4, 17),
        settlement=Settlement.PM,
        settles_ns=NOON,
        last_trade_ns=NOON,
        rows=options,
        usable=options,
        forward_usd=5_901.5,
    )
    view = ChainView(
        underlying=underlying,
        number=number,
        at_ns=NOON,
        epoch=1,
        spot_usd=columns.get("spot_usd", 5_900.0),
        spot_at_ns=NOON,
        spot_doubt="",
        fitted_ns=NOON,
        series=(series,),
        summary=ChainSummary(rows=options, usable=options, doubts=()),
        columns=pack_rows(filled),
    )
    return ChainViewed(underlying=underlying, view=view)


def put_on(symbol="SPX"):
    return Instrument(
        conid=77,
        kind=InstrumentKind.OPTION,
        symbol=symbol,
        multiplier=100,
        trading_class="SPXW",
        expiry=dt.date(2026, 4, 17),
        strike=Decimal(5800),
        right=Right.PUT,
    )


def fill(execution="0001.02.01"):
    return FillBooked(
        fill=execution.rpartition(".")[0],
        execution=Execution(
            execution_id=execution,
            instrument=put_on(),
            quantity=Decimal(-2),
            price_usd=Decimal("4.55"),
            at_ns=NOON,
            perm_id=9,
            order_id=3,
            client_id=17,
            order_ref="tw-1",
            account="DU1",
        ),
        cause=Cause.TRADE,
        quantity=Decimal(-2),
        commission_usd=Decimal("1.30"),
        commission_kind=CommissionKind.REPORTED,
        cash_usd=Decimal("908.70"),
        position_after=Decimal(-2),
        average_cost_usd=Decimal("454.35"),
        realised_usd=Decimal(0),
    )


def money(cash="100000.01"):
    return AccountReported(
        epoch=1,
        values=AccountValues(account="DU1", at_ns=NOON, ready=True, cash_usd=Decimal(cash)),
    )
