"""Puts the market's parts together; the order is that of who needs whom."""

from __future__ import annotations

import msgspec

from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.practice.market.board import Board
from thetawarden.practice.market.carry import Carry
from thetawarden.practice.market.catalog import Catalog
from thetawarden.practice.market.clockwork import Clockwork
from thetawarden.practice.market.closes import Closes
from thetawarden.practice.market.days import Climate, Days
from thetawarden.practice.market.futures import Futures
from thetawarden.practice.market.history import History
from thetawarden.practice.market.ladder import Ladders
from thetawarden.practice.market.levers import Levers
from thetawarden.practice.market.lookup import Lookup
from thetawarden.practice.market.option_board import OptionBoard
from thetawarden.practice.market.options import Pricer
from thetawarden.practice.market.path import OWN_VOLS_ANNUAL, Paths
from thetawarden.practice.market.tape import Tape
from thetawarden.practice.market.timeline import Timeline
from thetawarden.practice.market.volbook import VolBook
from thetawarden.practice.market.words import Words


class Motion(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What moves: the axis of time and everything that has a path."""

    seed: int
    first_row: int
    timeline: Timeline
    levers: Levers
    carry: Carry
    paths: Paths


class Parts(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What a market needs at hand."""

    first_row: int
    timeline: Timeline
    levers: Levers
    carry: Carry
    clockwork: Clockwork
    catalog: Catalog
    lookup: Lookup
    options: OptionBoard
    board: Board
    history: History
    words: Words
    forgetful: tuple[Paths | Closes | Tape | VolBook | Ladders, ...]

    def forget(self) -> None:
        """Drop all that was remembered, after an intervention."""
        for part in self.forgetful:
            part.forget()


def assemble(*, seed: int, start_ns: int, history_sessions: int) -> Parts:
    """Return the parts of a market that has so many sessions of history when it starts."""
    motion = _motion(seed=seed, start_ns=start_ns, history_sessions=history_sessions)
    line, paths, levers = motion.timeline, motion.paths, motion.levers
    clockwork = Clockwork()
    closes = Closes(paths=paths, first_row=motion.first_row)
    pricer = Pricer(timeline=line, paths=paths, carry=motion.carry)
    ladders = Ladders(timeline=line, first_row=motion.first_row, closes=closes.span)
    catalog = Catalog(timeline=line, ladders=ladders, pricer=pricer, clockwork=clockwork)
    tape = Tape(seed=seed, timeline=line, paths=paths, levers=levers)
    vol_book = VolBook(seed=seed, timeline=line, paths=paths, pricer=pricer, ladders=ladders)
    options = OptionBoard(
        seed=seed,
        timeline=line,
        levers=levers,
        pricer=pricer,
        catalog=catalog,
        clockwork=clockwork,
        vol_book=vol_book,
    )
    board = Board(
        levers=levers,
        catalog=catalog,
        clockwork=clockwork,
        tape=tape,
        futures=Futures(timeline=line, paths=paths, carry=motion.carry, vol_book=vol_book),
        vol_book=vol_book,
        options=options,
    )
    return Parts(
        first_row=motion.first_row,
        timeline=line,
        levers=levers,
        carry=motion.carry,
        clockwork=clockwork,
        catalog=catalog,
        lookup=Lookup(catalog),
        options=options,
        board=board,
        history=History(
            timeline=line, paths=paths, tape=tape, board=board, first_row=motion.first_row
        ),
        words=Words(seed=seed, timeline=line, paths=paths, first_row=motion.first_row),
        forgetful=(paths, closes, tape, vol_book, ladders),
    )


def _motion(*, seed: int, start_ns: int, history_sessions: int) -> Motion:
    line = Timeline(load_sessions(Exchange.NYSE))
    start_row = line.row_of(start_ns)
    first_row = max(start_row - history_sessions, 1)
    levers = Levers()
    days = Days(
        seed=seed,
        timeline=line,
        first_row=first_row,
        own_vols_annual=OWN_VOLS_ANNUAL,
        climate_of=lambda _row: Climate(),
        imposed_on=lambda _row: None,
        level_vix=lambda x, _vix: x,
    )
    carry = Carry(timeline=line, start_row=start_row)
    paths = Paths(
        seed=seed, timeline=line, days=days, carry=carry, levers=levers, start_row=start_row
    )
    return Motion(
        seed=seed, first_row=first_row, timeline=line, levers=levers, carry=carry, paths=paths
    )
