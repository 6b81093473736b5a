"""The same rule without a desk: plain ib_async, the same chain, an order sent from its callback.

`python -m bench.wire_orders_bare PORT FOLDER SECONDS` begins with what `bench.wire_orders` left in
FOLDER and prints how long each order took from the arrival of the ticks, in microseconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import ib_async
import msgspec
from typing_extensions import override

from bench.wire_bare import CLIENT_ID, SETTLE_S, Script
from bench.wire_desk import Watched
from bench.wire_orders import EVERY_NS
from thetawarden.domain.broker.instrument import Instrument
from thetawarden.infra.ib.translate import contract_of
from thetawarden.infra.practice_clock import ask_gateway


class Seller(Script):
    """Shows the chain after each bundle of ticks, and sells a put at its bid when it moved."""

    def __init__(self, watched: Watched, offset_ns: int, ib: ib_async.IB, put: Instrument) -> None:
        super().__init__(watched, offset_ns)
        self.orders_us: list[float] = []
        self._ib, self._put, self._next_ns = ib, put, 0

    @override
    def _show(self, tickers: set[ib_async.Ticker]) -> None:
        views = len(self.took_us)
        super()._show(tickers)
        now = time.perf_counter_ns()
        if len(self.took_us) == views or now < self._next_ns:
            return
        bid = next((one.bid for one in self._ib.tickers() if self._is_put(one)), 0.0)
        if not bid > 0.0:
            return
        self._next_ns = now + EVERY_NS
        self._ib.placeOrder(contract_of(self._put), ib_async.LimitOrder("SELL", 1, bid, tif="DAY"))
        self.orders_us.append((time.perf_counter_ns() - self._arrived_ns) / 1000)

    def _is_put(self, ticker: ib_async.Ticker) -> bool:
        return ticker.contract is not None and ticker.contract.conId == self._put.conid


async def run(port: int, folder: Path, seconds: float) -> list[float]:
    """Stream and sell for a while; what each order took."""
    watched = msgspec.msgpack.decode((folder / "watched").read_bytes(), type=Watched)
    put = msgspec.msgpack.decode((folder / "put").read_bytes(), type=Instrument)
    ib = ib_async.IB()
    await ib.connectAsync("127.0.0.1", port, clientId=CLIENT_ID, timeout=20)
    offset_ns = ask_gateway(port).market_ns - time.time_ns()
    script = Seller(watched, offset_ns, ib, put)
    script.listen(ib)
    for conid in {*script.wanted, put.conid}:
        ib.reqMktData(ib_async.Contract(conId=conid, exchange="SMART"), "100,101,106")
    await asyncio.sleep(SETTLE_S)
    script.orders_us.clear()
    await asyncio.sleep(seconds)
    ib.disconnect()
    return script.orders_us


if __name__ == "__main__":
    found = asyncio.run(run(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])))
    sys.stdout.write(json.dumps({"bare_us": found}) + "\n")
