"""From a tick's arrival to an order's bytes: a whole desk, its governor and executor in between.

`python -m bench.wire_orders PORT FOLDER SECONDS` lets the simplest of rules sell a held put at its
bid whenever its chain moves, at most once a second, and prints how long each order took: from
the tick to the view, from the proposal to the durable intent, and from there to the socket; first
idle, then with a thread that will not let go of the interpreter. What it held is left in FOLDER.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import ib_async
import msgspec
from typing_extensions import override

from bench.wire_desk import (
    READY_S,
    SETTLE_S,
    UNDERLYING,
    Ear,
    SteadyClock,
    Stopwatch,
    compute,
    known,
    settings,
    wait_until_watching,
)
from thetawarden.actors.strategist import Hears, Says, Strategist
from thetawarden.config.risk import OrdersConfig
from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.chains.view import read_rows
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.orders.proposal import OrderLeg, Pricing, Proposal
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.domain.risk.instrument import ConId, QuoteSeen
from thetawarden.infra.ib.orders import OrderHandler
from thetawarden.infra.ib.translate import instrument_of
from thetawarden.infra.practice_clock import ask_gateway
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.chains import ChainViewed
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.orders import (
    OrderApproved,
    OrderRefused,
    OrderWithheld,
    ProposeOrder,
    SubmitOrder,
)
from thetawarden.practice.admin import Command, ask
from thetawarden.process import SWITCH_INTERVAL_S, DeskProcess

HELD = 900
EVERY_NS = NS_PER_SECOND
BELOW = 0.98
DAYS_MIN = 10
FINDER_ID = 56


class Order(msgspec.Struct, kw_only=True):
    """When what became of one order, in market nanoseconds.

    `waited` for the link: what is approved while the books are compared leaves when they agree.
    """

    ticked_ns: int = 0
    proposed_ns: int = 0
    intended_ns: int = 0
    durable_ns: int = 0
    sent_ns: int = 0
    waited: bool = False


class Rule:
    """Sells a put at its bid whenever its chain moves; sits in the strategist's seat."""

    def __init__(self, put: Instrument) -> None:
        self._put = put
        self._next_ns = 0
        self._number = 0

    def receive(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:
        """Answer what the strategist would be told."""
        if not isinstance(message, ChainViewed) or now < self._next_ns:
            return ()
        rows = read_rows(message.view)
        found = (rows.conid == self._put.conid).nonzero()[0]
        if message.underlying != UNDERLYING or not found.size or rows.doubt[found[0]]:
            return ()
        at = int(found[0])
        self._next_ns = now + EVERY_NS
        self._number += 1
        bid = Decimal(str(round(float(rows.bid_usd[at]), 2)))
        quote = QuoteSeen(
            con_id=ConId(self._put.conid),
            seq=message.view.number,
            at_ns=UnixNs(int(rows.at_ns[at])),
        )
        proposal = Proposal(
            key=f"cross-{self._number}",
            trade=f"cross-{self._number}",
            strategy="crossing",
            purpose=Purpose.CLOSE,
            underlying=UNDERLYING,
            legs=(OrderLeg(instrument=self._put, ratio=-1),),
            units=1,
            limit_usd=-bid,
            worst_usd=-bid,
            pricing=Pricing.FIXED,
            expires_ns=UnixNs(now + 10 * NS_PER_SECOND),
            quotes=(quote,),
        )
        return (ProposeOrder(proposal=proposal),)


class Track(Stopwatch):
    """Also follows each order from the tick that moved its chain to the socket."""

    def __init__(self, process: DeskProcess) -> None:
        self.orders: dict[str, Order] = {}
        self.refused: list[str] = []
        self._viewed: dict[int, int] = {}
        self._ready = True
        super().__init__(process)
        self._watch_the_broker(process)

    @override
    def before(self) -> dict[type[Message], Ear]:
        return super().before() | {
            ChainViewed: self._before_view,
            ProposeOrder: self._on_proposal,
            LinkChanged: self._on_link,
            OrderApproved: self._on_approval,
            SubmitOrder: self._on_intent,
            OrderRefused: self._on_refusal,
            OrderWithheld: self._on_refusal,
        }

    def wait_for_an_order(self) -> None:
        """Return once one has left: its put is quoted and believed."""
        until = time.monotonic() + READY_S
        while not any(one.sent_ns for one in list(self.orders.values())):
            if time.monotonic() > until:
                raise TimeoutError(f"no order came through: {self.refused[-3:]}")
            time.sleep(1.0)

    def _before_view(self, envelope: Envelope[Any]) -> None:
        """Note which tick a view shows; what a timer showed had to wait for its turn."""
        arrived = self._arrived.get(envelope.cause_seq or 0)
        if arrived is not None:
            self._viewed[envelope.seq] = arrived

    def _on_proposal(self, envelope: Envelope[Any]) -> None:
        order = self._order(envelope.body.proposal.trade)
        order.ticked_ns = self._viewed.get(envelope.cause_seq or 0, 0)
        order.proposed_ns = self._now_ns()

    def _on_link(self, envelope: Envelope[Any]) -> None:
        self._ready = envelope.body.state is LinkState.READY

    def _on_approval(self, envelope: Envelope[Any]) -> None:
        self._order(envelope.body.proposal.trade).waited = not self._ready

    def _on_intent(self, envelope: Envelope[Any]) -> None:
        self._order(envelope.body.intent.trade).intended_ns = self._now_ns()

    def _order(self, trade: str) -> Order:
        return self.orders.setdefault(trade, Order())

    def _on_refusal(self, envelope: Envelope[Any]) -> None:
        self.refused.append(envelope.body.words)

    def _watch_the_broker(self, process: DeskProcess) -> None:
        broker: Any = process._broker  # noqa: SLF001  # where a durable intent arrives
        perform: Any = broker.perform
        let_out: Any = OrderHandler._let_out  # noqa: SLF001  # and where its bytes go
        order, now_ns = self._order, self._now_ns

        def performed(envelope: Envelope[Any]) -> object:
            if isinstance(envelope.body, SubmitOrder):
                order(envelope.body.intent.trade).durable_ns = now_ns()
            return perform(envelope)

        def out(handler: Any, ib: Any, made: Any, numbers: Any) -> object:
            sent = let_out(handler, ib, made, numbers)
            order(made[0][1].orderRef.partition(".")[0]).sent_ns = now_ns()
            return sent

        broker.perform = performed
        OrderHandler._let_out = out  # type: ignore[assignment,method-assign]  # noqa: SLF001


async def hold_puts(port: int) -> Instrument:
    """Let somebody buy puts by hand; return which."""
    ib: Any = ib_async.IB()
    await ib.connectAsync("127.0.0.1", port, clientId=FINDER_ID, timeout=20)
    (stock,) = await ib.qualifyContractsAsync(ib_async.Stock(UNDERLYING, "SMART", "USD"))
    (ticker,) = await ib.reqTickersAsync(stock)
    chains = await ib.reqSecDefOptParamsAsync(UNDERLYING, "", "STK", stock.conId)
    chain = next(one for one in chains if one.exchange == "SMART")
    now = await ib.reqCurrentTimeAsync()
    first = (now.date() + dt.timedelta(days=DAYS_MIN)).strftime("%Y%m%d")
    expiry = min(one for one in chain.expirations if one >= first)
    details = await ib.reqContractDetailsAsync(
        ib_async.Option(UNDERLYING, expiry, 0.0, "P", "SMART", tradingClass=UNDERLYING)
    )
    strike = ticker.marketPrice() * BELOW
    put = min((one.contract for one in details), key=lambda one: abs(one.strike - strike))
    ib.disconnect()
    bought = {"con_id": put.conId, "quantity": HELD}
    await ask(Command(do="fault", name="manual-trade", args=bought), port=port)
    return msgspec.structs.replace(instrument_of(put), exchange="SMART")


def main(port: int, folder: Path, seconds: float) -> None:
    """Run both halves and print what each order took, in microseconds."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    put = asyncio.run(hold_puts(port))
    Strategist.receive = Rule(put).receive  # type: ignore[assignment,method-assign]
    store = folder / "store"
    store.mkdir()
    config = settings()
    limits = OrdersConfig(orders_per_minute_max=1000, duplicate_s=0.0)
    risk = msgspec.structs.replace(config.risk, orders=limits)
    process = DeskProcess(msgspec.structs.replace(config, risk=risk), store)
    process.follow(SteadyClock(ask_gateway(port).market_ns))
    process.reach("127.0.0.1", port)
    process.take()
    process.open()
    track = Track(process)
    wait_until_watching(process)
    track.wait_for_an_order()
    time.sleep(SETTLE_S)
    idle = _lap(track, seconds)
    over = threading.Event()
    hog = threading.Thread(target=compute, args=(over,), daemon=True)
    hog.start()
    hogged = _lap(track, seconds)
    over.set()
    hog.join()
    (folder / "put").write_bytes(msgspec.msgpack.encode(put))
    (folder / "watched").write_bytes(msgspec.msgpack.encode(known(process)))
    process.close()
    process.give_back()
    if not (idle["whole"] and hogged["whole"]):
        raise RuntimeError(f"no order came of a tick: {len(track.orders)}, {track.refused[-3:]}")
    sys.stdout.write(json.dumps({"idle": idle, "hogged": hogged}) + "\n")


def _lap(track: Track, seconds: float) -> dict[str, list[float]]:
    """What the orders of so many seconds took."""
    track.orders.clear()
    time.sleep(seconds)
    every = [one for one in list(track.orders.values()) if one.sent_ns and one.ticked_ns]
    done = [one for one in every if not one.waited]
    parts = {
        "with_waits": [one.sent_ns - one.ticked_ns for one in every],
        "whole": [one.sent_ns - one.ticked_ns for one in done],
        "but_disk": [
            one.sent_ns - one.ticked_ns - one.durable_ns + one.intended_ns for one in done
        ],
        "to_view": [one.proposed_ns - one.ticked_ns for one in done],
        "to_intent": [one.intended_ns - one.proposed_ns for one in done],
        "durable": [one.durable_ns - one.intended_ns for one in done],
        "to_socket": [one.sent_ns - one.durable_ns for one in done],
    }
    return {name: [one / 1000 for one in took] for name, took in parts.items()}


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
