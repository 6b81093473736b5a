"""Batches of snapshots: asked one by one in turn, told when they come, and over within a time."""

from __future__ import annotations

import asyncio
import functools

from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.broker.quote import DataType
from thetawarden.infra.ib.answers import Failed
from thetawarden.infra.ib.conflation import Outlet, Outlets
from thetawarden.infra.ib.guarded import GuardedIB
from thetawarden.infra.ib.pacing import Priority
from thetawarden.infra.ib.session import Session
from thetawarden.infra.ib.tap import Tap
from thetawarden.infra.ib.ticks import Line
from thetawarden.infra.ib.translate import contract_of
from thetawarden.messages.market import LineRefused, SnapshotsTaken
from thetawarden.ports import DeskPort


class _Batch:
    """Those still out, by number; `over` is set when none is, or the time has passed."""

    def __init__(self, outlet: Outlet) -> None:
        self.outlet = outlet
        self.out: dict[int, Line] = {}
        self.answered = 0
        self.unanswered: list[int] = []
        self.done = asyncio.Event()


class Snapshots:
    """Asks for snapshots; a quote is told whole, once the broker has said that it ends.

    The broker may take eleven seconds when a field is missing. What a snapshot brought without
    ever ending is told all the same when the time is over. `not_live` are the contracts whose last
    one was delayed or frozen.
    """

    def __init__(
        self,
        *,
        session: Session,
        desk: DeskPort,
        tap: Tap,
        outlets: Outlets,
        timeout_s: float,
    ) -> None:
        self._session = session
        self._desk = desk
        self._tap = tap
        self._outlets = outlets
        self._timeout_s = timeout_s
        self._epoch = 0
        self._links = 0
        self._by_number: dict[int, _Batch] = {}
        self.not_live: set[int] = set()

    def begin_link(self, epoch: int) -> None:
        """Forget what is out: it is of a link that has gone, also before another has come."""
        self._links += 1
        gone, self._by_number = self._by_number, {}
        self.not_live.clear()
        for batch in gone.values():
            batch.done.set()
        self._epoch = epoch

    async def take(self, listener: str, instruments: tuple[Instrument, ...]) -> None:
        """Ask for all of them, wait, and say how many came."""
        epoch, link = self._epoch, self._links
        batch = _Batch(self._outlets.outlet(listener))
        for instrument in instruments:
            line = Line(instrument)
            ask = functools.partial(self._ask, batch, line)
            sent = await self._session.send(ask, priority=Priority.LINES)
            if link != self._links:
                return
            if isinstance(sent, Failed):
                batch.unanswered.append(instrument.conid)
        if batch.out:
            await _wait(batch.done, self._timeout_s)
        if link != self._links:
            return
        for number in tuple(batch.out):
            self._end(number, in_time=False)
        self._desk.say(
            SnapshotsTaken(
                epoch=epoch,
                listener=listener,
                answered=batch.answered,
                unanswered=tuple(batch.unanswered),
            )
        )

    def ended(self, number: int) -> None:
        """The broker has told all of this one."""
        if number in self._by_number:
            self._end(number, in_time=True)

    def refused(self, number: int, code: int, words: str) -> None:
        """Take note of a refusal."""
        batch = self._by_number.get(number)
        if batch is None:
            return
        conid = batch.out[number].instrument.conid
        self._forget(number)
        batch.unanswered.append(conid)
        self._desk.say(LineRefused(epoch=self._epoch, conid=conid, code=code, words=words))

    def _ask(self, batch: _Batch, line: Line, ib: GuardedIB) -> None:
        number = ib.client.getReqId()
        self._by_number[number] = batch
        batch.out[number] = line
        batch.done.clear()
        self._tap.add(number, line)
        # the broker takes no generic ticks with a snapshot
        ib.client.reqMktData(number, contract_of(line.instrument), "", True, False, [])  # noqa: FBT003  # the library takes them so

    def _end(self, number: int, *, in_time: bool) -> None:
        batch = self._by_number[number]
        line = batch.out[number]
        self._forget(number)
        if line.ticks:
            self._note_data_type(line)
            self._outlets.tell_all(line, batch.outlet)
        if in_time:
            batch.answered += 1
        else:
            batch.unanswered.append(line.instrument.conid)

    def _note_data_type(self, line: Line) -> None:
        conid = line.instrument.conid
        if line.data_type is DataType.LIVE:
            self.not_live.discard(conid)
        else:
            self.not_live.add(conid)

    def _forget(self, number: int) -> None:
        batch = self._by_number.pop(number)
        del batch.out[number]
        self._tap.retire(number)
        if not batch.out:
            batch.done.set()


async def _wait(done: asyncio.Event, timeout_s: float) -> None:
    try:
        await asyncio.wait_for(done.wait(), timeout_s)
    except TimeoutError:
        return
