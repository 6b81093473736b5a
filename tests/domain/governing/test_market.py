"""What the governor values its book by is as old as the oldest part of it."""

import numpy as np
import pytest

from bench.watched import DAY, NOW, World
from thetawarden.domain.governing.market import Seen, kept_of, market_of
from thetawarden.domain.governing.sights import sight_of
from thetawarden.domain.governing.terms import Terms
from thetawarden.domain.governing.trades import HeldRow
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.domain.regime.readings import Reading
from thetawarden.domain.risk.instrument import Instrument, PositionKind

TERMS = Terms(sessions=load_sessions(Exchange.NYSE))
LATER = NOW + 120 * NS_PER_SECOND


@pytest.fixture(scope="module")
def world():
    return World("SPX")


def view_without(world, *silent):
    """A chain whose series were all read at NOW, and these not at LATER."""
    board, spot_usd = world.board(), 1.002 * world.spot_usd
    world.tell_spot(board, spot_usd, at_ns=LATER)
    for at, row in enumerate(board.rows):
        size = {"bid_size": 0.0} if row.series in silent else {}
        world.tell(board, [at], at_ns=LATER, spot_usd=spot_usd, **size)
    board.fit(today=DAY, now=LATER)
    return board, board.look(underlying=world.symbol, number=1, today=DAY, now=LATER)


def seen_of(world, board, view, row):
    option = Instrument(
        con_id=int(board.table.conid[row]),
        underlying=world.symbol,
        kind=PositionKind.EUROPEAN,
        multiplier=100.0,
        expiry=world.series[board.rows[row].series].key.expiry,
        is_call=bool(board.table.is_call[row]),
        strike_usd=float(board.table.strike_usd[row]),
    )
    held = HeldRow(instrument=option, name="it", contracts=-1.0, agreed=True, mark_usd=1.0)
    now = Reading(value=20.0, at_ns=LATER)
    return Seen(
        index=now,
        vix=now,
        sights={world.symbol: sight_of(view)},
        betas={},
        rows=(held,),
        rows_ns=LATER,
        pending=(),
    )


def test_a_mark_by_a_smile_that_could_not_be_read_since_is_as_old_as_that(world):
    board, view = view_without(world, 1)
    told = {}
    for series in (0, 1):
        row = next(at for at, one in enumerate(board.rows) if one.series == series)
        seen = seen_of(world, board, view, row)
        market = market_of(seen, terms=TERMS)
        (mark,) = market.marks.values()
        (kept,) = kept_of(market, seen).values()
        assert np.isfinite(mark.iv_annual)
        told[series] = (market.at_ns, kept.at_ns)

    assert told == {0: (LATER, LATER), 1: (NOW, NOW)}


def test_a_mark_by_an_options_own_quote_is_as_young_as_that_wherever_its_smile_is_from(world):
    board, _ = view_without(world, 1)
    row = next(at for at, one in enumerate(board.rows) if one.series == 1)
    world.tell(board, [row], at_ns=LATER, spot_usd=1.002 * world.spot_usd)
    view = board.look(underlying=world.symbol, number=2, today=DAY, now=LATER)

    market = market_of(seen_of(world, board, view, row), terms=TERMS)

    assert view.series[1].unread == "too_few_pairs"
    assert market.at_ns == LATER
