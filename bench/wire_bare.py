"""The same without a desk: plain ib_async, the same lines, the same view computed in its callback.

`python -m bench.wire_bare PORT FOLDER SECONDS` begins with what `bench.wire_desk` left in FOLDER
and prints how long each view took from the arrival of the ticks it shows, in microseconds.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import ib_async
import msgspec

from bench.wire_desk import UNDERLYING, Watched, settings
from thetawarden.config.watching import watch_settings
from thetawarden.domain.broker.lines import LineManner
from thetawarden.domain.broker.quote import Quote
from thetawarden.domain.broker.quote_rows import write_quotes
from thetawarden.domain.chains.board import Board
from thetawarden.domain.instants import UnixNs, new_york_date
from thetawarden.infra.practice_clock import ask_gateway

CLIENT_ID = 55
SETTLE_S = 5.0


class Script:
    """What somebody would write in an afternoon, with our own mathematics of a chain."""

    def __init__(self, watched: Watched, offset_ns: int) -> None:
        self.took_us: list[float] = []
        self._watched, self._offset_ns = watched, offset_ns
        self._board = Board(watch_settings(settings().chains, speed=1.0), watched.board)
        self._arrived_ns = 0
        self._views = 0

    @property
    def wanted(self) -> list[int]:
        """The contracts that the desk streamed."""
        wants = self._board.wants(self._watched.underlying)
        return [want.instrument.conid for want in wants if want.manner is LineManner.STREAM]

    def listen(self, ib: ib_async.IB) -> None:
        """Note the arrival of bytes, and show the chain after each bundle of ticks."""
        client: Any = ib.client
        arrive = client._tcpDataArrived  # noqa: SLF001  # the library keeps it from the beginning

        def noted() -> None:
            self._arrived_ns = time.perf_counter_ns()
            arrive()

        client._tcpDataArrived = noted  # noqa: SLF001
        ib.pendingTickersEvent += self._show

    def _show(self, tickers: set[ib_async.Ticker]) -> None:
        now = UnixNs(time.time_ns() + self._offset_ns)
        quotes = write_quotes(_quote(ticker, now) for ticker in tickers if ticker.contract)
        board = self._board
        underlying = self._watched.underlying
        if not board.observe(quotes, epoch=board.epoch, underlying=underlying, now=now):
            return
        self._views += 1
        today = new_york_date(now)
        board.look(underlying=UNDERLYING, number=self._views, today=today, now=now)
        self.took_us.append((time.perf_counter_ns() - self._arrived_ns) / 1000)


async def run(port: int, folder: Path, seconds: float) -> list[float]:
    """Stream for a while; the delays of the views."""
    watched = msgspec.msgpack.decode((folder / "watched").read_bytes(), type=Watched)
    script = Script(watched, ask_gateway(port).market_ns - time.time_ns())
    ib = ib_async.IB()
    await ib.connectAsync("127.0.0.1", port, clientId=CLIENT_ID, timeout=20)
    script.listen(ib)
    for conid in script.wanted:
        ib.reqMktData(ib_async.Contract(conId=conid, exchange="SMART"), "100,101,106")
    await asyncio.sleep(SETTLE_S)
    script.took_us.clear()
    await asyncio.sleep(seconds)
    ib.disconnect()
    return script.took_us


def _quote(ticker: ib_async.Ticker, now: UnixNs) -> Quote:
    contract = ticker.contract
    return Quote(
        conid=contract.conId if contract else 0,
        at_ns=now,
        two_sided_ns=now,
        bid_usd=_known(ticker.bid),
        ask_usd=_known(ticker.ask),
        bid_size=_known(ticker.bidSize),
        ask_size=_known(ticker.askSize),
        last_usd=_known(ticker.last),
        volume=_known(ticker.volume),
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) or value < 0.0 else value


if __name__ == "__main__":
    found = asyncio.run(run(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])))
    sys.stdout.write(json.dumps({"bare_us": found}) + "\n")
