"""Puts the market's parts together; the order is that of who needs whom."""

from __future__ import annotations

import functools
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
from thetawarden.practice.market.earnings import EarningsBook
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
from thetawarden.practice.market.references import References
from thetawarden.practice.market.scenario import SCENARIOS, ScenarioName
from thetawarden.practice.market.tape import Tape
from thetawarden.practice.market.timeline import Timeline
from thetawarden.practice.market.vol_forwards import VolForwards
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

    seed: int
    first_row: int
    timeline: Timeline
    levers: Levers
    carry: Carry
    earnings: EarningsBook
    paths: Paths
    vol_forwards: VolForwards


class Listing(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What is listed, when it trades, and what it is worth."""

    clockwork: Clockwork
    closes: Closes
    pricer: Pricer
    ladders: Ladders
    catalog: Catalog


class Boards(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What is shown."""

    tape: Tape
    vol_book: VolBook
    options: OptionBoard
    futures: Futures
    board: Board


class Parts(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What a market needs at hand."""

    motion: Motion
    listing: Listing
    boards: Boards
    lookup: Lookup
    history: History
    words: Words
    references: References

    def forget(self) -> None:
        """Drop all that was remembered, after an intervention."""
        boards = self.boards
        listing = self.listing
        for part in (self.motion.paths, listing.closes, listing.ladders, listing.pricer):
            part.forget()
        for shown in (boards.tape, boards.vol_book, boards.options, boards.board):
            shown.forget()


def assemble(terms: Terms) -> Parts:
    """Return the parts of a market; raises BadPathFileError when the user's file is no path."""
    motion = _motion(terms)
    listing = _listing(motion)
    boards = _boards(motion, listing)
    history = _history(motion, listing, boards, began_ns=terms.start_ns)
    return Parts(
        motion=motion,
        listing=listing,
        boards=boards,
        lookup=Lookup(listing.catalog),
        history=history,
        words=Words(
            seed=motion.seed,
            timeline=motion.timeline,
            paths=motion.paths,
            earnings=motion.earnings,
            first_row=motion.first_row,
        ),
        references=References(
            timeline=motion.timeline,
            carry=motion.carry,
            tape=boards.tape,
            pricer=listing.pricer,
            paths=motion.paths,
            history=history,
        ),
    )


def _listing(motion: Motion) -> Listing:
    line, clockwork = motion.timeline, Clockwork()
    closes = Closes(paths=motion.paths, first_row=motion.first_row)
    pricer = Pricer(
        timeline=line,
        paths=motion.paths,
        carry=motion.carry,
        earnings=motion.earnings,
        vol_forwards=motion.vol_forwards,
    )
    ladders = Ladders(
        timeline=line, first_row=motion.first_row, closes=closes.span, levers=motion.levers
    )
    return Listing(
        clockwork=clockwork,
        closes=closes,
        pricer=pricer,
        ladders=ladders,
        catalog=Catalog(timeline=line, ladders=ladders, pricer=pricer, clockwork=clockwork),
    )


def _boards(motion: Motion, listing: Listing) -> Boards:
    seed, line, paths = motion.seed, motion.timeline, motion.paths
    pricer, clockwork, catalog = listing.pricer, listing.clockwork, listing.catalog
    tape = Tape(seed=seed, timeline=line, paths=paths, levers=motion.levers)
    pace = Pace(clockwork=clockwork, paths=paths, levers=motion.levers)
    vol_book = VolBook(seed=seed, timeline=line, pricer=pricer, ladders=listing.ladders, pace=pace)
    options = OptionBoard(
        seed=seed,
        timeline=line,
        levers=motion.levers,
        pricer=pricer,
        catalog=catalog,
        clockwork=clockwork,
        pace=pace,
        tape=OptionTape(seed=seed, timeline=line, pricer=pricer),
    )
    futures = Futures(
        timeline=line, paths=paths, carry=motion.carry, vol_forwards=motion.vol_forwards
    )
    board = Board(
        levers=motion.levers,
        catalog=catalog,
        clockwork=clockwork,
        tape=tape,
        futures=futures,
        vol_book=vol_book,
        options=options,
        pace=pace,
    )
    return Boards(tape=tape, vol_book=vol_book, options=options, futures=futures, board=board)


def _history(motion: Motion, listing: Listing, boards: Boards, *, began_ns: int) -> History:
    derived = DerivedHistory(
        paths=motion.paths,
        pricer=listing.pricer,
        options=boards.options,
        futures=boards.futures,
        vol_book=boards.vol_book,
        vol_model=VolModel(motion.timeline),
        began_ns=began_ns,
    )
    return History(
        timeline=motion.timeline,
        paths=motion.paths,
        tape=boards.tape,
        board=boards.board,
        derived=derived,
        catalog=listing.catalog,
        clockwork=listing.clockwork,
        first_row=motion.first_row,
    )


@functools.cache
def _timeline() -> Timeline:
    """Nothing of it ever changes, so that all markets of a process share it."""
    return Timeline(load_sessions(Exchange.NYSE))


def _motion(terms: Terms) -> Motion:
    line = _timeline()
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
    carry = Carry(timeline=line, start_row=start_row, levers=levers)
    earnings = EarningsBook(seed=terms.seed, timeline=line)
    paths = Paths(
        seed=terms.seed,
        timeline=line,
        days=begin(course),
        carry=carry,
        earnings=earnings,
        levers=levers,
        start_row=start_row,
        anchor=anchor(course),
    )
    return Motion(
        seed=terms.seed,
        first_row=first_row,
        timeline=line,
        levers=levers,
        carry=carry,
        earnings=earnings,
        paths=paths,
        vol_forwards=VolForwards(timeline=line, paths=paths),
    )
