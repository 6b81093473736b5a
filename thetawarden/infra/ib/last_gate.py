"""Stands at the socket: sees what `domain.orders.gate` judges an order by, at the moment it leaves.

The halt flag's file is read each time, so that a halt counts that no actor has told yet, or could.
"""

from __future__ import annotations

from thetawarden.domain.halt import HaltRecord
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.orders.gate import GateSeen, NotLive, Refusal, refusal
from thetawarden.domain.orders.intent import Gate, Intent
from thetawarden.infra.ib.session import Session
from thetawarden.messages.base import Message
from thetawarden.messages.risk import FreezeExits
from thetawarden.messages.trading import TradingHalted, TradingResumed
from thetawarden.ports import Clock, HaltFlag


class LastGate:
    """Remembers the brakes and what it has let out; everything else it looks up anew."""

    def __init__(
        self, session: Session, *, clock: Clock, flag: HaltFlag, not_live: NotLive
    ) -> None:
        self._session = session
        self._clock = clock
        self._flag = flag
        self._not_live = not_live
        self._halt: HaltRecord | None = None
        self._halt_epoch: int | None = None
        self._exits_frozen = False
        self._let_out = 0

    @property
    def now_ns(self) -> UnixNs:
        """The market's instant."""
        return self._clock.now_ns()

    def take(self, message: Message) -> bool:
        """Hear of a brake; false when the message is about none."""
        match message:
            case TradingHalted(halt=halt):
                self._halt = halt
                self._note_epoch(halt.epoch)
            case TradingResumed(epoch=epoch):
                if self._halt is not None and self._halt.epoch <= epoch:
                    self._halt = None
                self._note_epoch(epoch)
            case FreezeExits(frozen=frozen):
                self._exits_frozen = frozen
            case _:
                return False
        return True

    def begin_link(self) -> None:
        """Count anew: the counters belong to one socket."""
        self._let_out = 0

    def judge(
        self, gate: Gate, intent: Intent, *, epoch: int, taken_back: bool, sent_before: bool
    ) -> Refusal | None:
        """Return why an order must not leave now, None when it may."""
        ib = self._session.client
        seen = GateSeen(
            now_ns=self._clock.now_ns(),
            link_epoch=None if ib is None else self._session.epoch,
            idle_ns=self._session.idle_ns(),
            halt=self._flag.read() or self._halt,
            halt_epoch=self._halt_epoch,
            exits_frozen=self._exits_frozen,
            taken_back=taken_back,
            sent_before=sent_before,
            let_out=self._let_out,
            placed=0 if ib is None else ib.placed,
            not_live=self._not_live(leg.instrument.conid for leg in intent.legs),
        )
        return refusal(gate=gate, epoch=epoch, reducing=intent.reducing, seen=seen)

    def let_out(self, in_all: int) -> None:
        """So many orders and changes were let out on this link, the ones just now included."""
        self._let_out = in_all

    def let_out_one_more(self) -> None:
        """One change of an order was let out."""
        self._let_out += 1

    def _note_epoch(self, epoch: int) -> None:
        self._halt_epoch = max(epoch, self._halt_epoch or 0)
