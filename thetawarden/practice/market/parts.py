"""Puts the market's parts together; the order is that of who needs whom."""

from __future__ import annotations

from pathlib import Path

import msgspec

from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.practice.market.board import Board
from thetawarden.practice.market.carry import Carry
from thetawarden.practice.market.catalog import Catalog
from thetawarden.practice.market.clockwork import Clockwork
from thetawarden.practice.market.closes import Closes
from thetawarden.practice.market.closes_file import read_closes
from thetawarden.practice.market.course import Course, anchor, begin
from thetawarden.practice.market.derived_history import DerivedHistory
from thetawarden.practice.market.futures import Futures
from thetawarden.practice.market.history import History
from thetawarden.practice.market.ladder import Ladders
from thetawarden.practice.market.levers import Levers
from thetawarden.practice.market.lookup import Lookup
from thetawarden.practice.market.option_board import OptionBoard
from thetawarden.practice.market.option_tape import OptionTape
from thetawarden.practice.market.options import Pricer
from thetawarden.practice.market.pace import Pace
from thetawarden.practice.market.path import Paths
from thetawarden.practice.market.scenario import SCENARIOS, ScenarioName
from thetawarden.practice.market.tape import Tape
from thetawarden.practice.market.timeline import Timeline
from thetawarden.practice.market.volbook import VolBook
from thetawarden.practice.market.volmodel import VolModel
from thetawarden.practice.market.words import Words

HISTORY_SESSIONS = 504


class Terms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a market is made with; equal terms make equal markets."""

    seed: int
    start_ns: int
    scenario: ScenarioName = ScenarioName.NORMAL
    history_sessions: int = HISTORY_SESSIONS
    path: str | None = None
    """A user's CSV of daily closes; it takes the scenario's place on the days it covers."""


class Motion(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What moves: the axis of time and everything that has a path."""

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
    forgetful: tuple[Paths | Closes | Tape | VolBook | Ladders | OptionBoard, ...]

    def forget(self) -> None:
        """Drop all that was remembered, after an intervention."""
        for part in self.forgetful:
            part.forget()


def assemble(terms: Terms) -> Parts:
    """Return the parts of a market; raises BadPathFileError when the user's file is no path."""
    motion, seed = _motion(terms), terms.seed
    line, paths, levers = motion.timeline, motion.paths, motion.levers
    clockwork = Clockwork()
    closes = Closes(paths=paths, first_row=motion.first_row)
    pricer = Pricer(timeline=line, paths=paths, carry=motion.carry)
    ladders = Ladders(timeline=line, first_row=motion.first_row, closes=closes.span)
    catalog = Catalog(timeline=line, ladders=ladders, pricer=pricer, clockwork=clockwork)
    tape = Tape(seed=seed, timeline=line, paths=paths, levers=levers)
    pace = Pace(clockwork=clockwork, paths=paths, levers=levers)
    vol_book = VolBook(seed=seed, timeline=line, pricer=pricer, ladders=ladders, pace=pace)
    options = OptionBoard(
        seed=seed,
        timeline=line,
        levers=levers,
        pricer=pricer,
        catalog=catalog,
        clockwork=clockwork,
        pace=pace,
        tape=OptionTape(seed=seed, timeline=line, pricer=pricer),
    )
    futures = Futures(timeline=line, paths=paths, carry=motion.carry, vol_book=vol_book)
    derived = DerivedHistory(
        paths=paths,
        pricer=pricer,
        options=options,
        futures=futures,
        vol_book=vol_book,
        vol_model=VolModel(line),
    )
    board = Board(
        levers=levers,
        catalog=catalog,
        clockwork=clockwork,
        tape=tape,
        futures=futures,
        vol_book=vol_book,
        options=options,
        pace=pace,
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
            timeline=line,
            paths=paths,
            tape=tape,
            board=board,
            derived=derived,
            catalog=catalog,
            first_row=motion.first_row,
        ),
        words=Words(seed=seed, timeline=line, paths=paths, first_row=motion.first_row),
        forgetful=(paths, closes, tape, vol_book, ladders, options),
    )


def _motion(terms: Terms) -> Motion:
    line = Timeline(load_sessions(Exchange.NYSE))
    closes = () if terms.path is None else read_closes(Path(terms.path), line.sessions)
    start_row = line.row_of(terms.start_ns)
    first_row = max(start_row - terms.history_sessions, 1)
    levers = Levers()
    course = Course(
        seed=terms.seed,
        timeline=line,
        first_row=first_row,
        start_row=start_row,
        scenario=SCENARIOS[terms.scenario],
        closes=closes,
    )
    carry = Carry(timeline=line, start_row=start_row)
    paths = Paths(
        seed=terms.seed,
        timeline=line,
        days=begin(course),
        carry=carry,
        levers=levers,
        start_row=start_row,
        index_close=anchor(course),
    )
    return Motion(first_row=first_row, timeline=line, levers=levers, carry=carry, paths=paths)
