"""Somebody else who trades in the same account all day: plain ib_async, orders by hand.

What it does must reach the desk's book, though the desk never asked for it. Broken links are made
again; which orders it sends depends on its seed alone, when they fill on the market.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import threading

import ib_async

CLIENT_ID = 99
RETRY_S = 1.0
CONNECT_S = 10.0
ORDER_S = 20.0


class Trader:
    """Trades on a thread of its own until told to stop."""

    def __init__(self, *, port: int, symbols: tuple[str, ...], every_s: float, seed: int) -> None:
        self._port, self._symbols, self._every_s = port, symbols, every_s
        self._chance = random.Random(seed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trader", daemon=True)
        self._known: dict[str, list[ib_async.Contract]] = {}
        self.orders = self.fills = self.links = 0

    def start(self) -> None:
        """Begin to trade."""
        self._thread.start()

    def stop(self) -> None:
        """Send nothing more; returns when the link is closed."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        logging.getLogger("ib_async").setLevel(logging.CRITICAL)  # links are cut on purpose here
        asyncio.run(self._live())

    async def _live(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(OSError, TimeoutError, ConnectionError):
                await self._trade()
            await asyncio.sleep(RETRY_S)

    async def _trade(self) -> None:
        ib = ib_async.IB()
        try:
            await ib.connectAsync("127.0.0.1", self._port, clientId=CLIENT_ID, timeout=CONNECT_S)
            self.links += 1
            while not self._stop.is_set() and ib.isConnected():
                await asyncio.wait_for(self._order(ib), ORDER_S)
                await asyncio.sleep(self._every_s)
        finally:
            ib.disconnect()

    async def _order(self, ib: ib_async.IB) -> None:
        symbol = self._chance.choice(self._symbols)
        contract = self._chance.choice(await self._contracts(ib, symbol))
        side = self._chance.choice(("BUY", "SELL"))
        size = self._chance.randint(1, 3) * (10 if contract.secType == "STK" else 1)
        order = ib_async.MarketOrder(side, size, tif="DAY")
        trade = ib.placeOrder(contract, order)
        self.orders += 1
        for _ in range(50):
            if trade.isDone() or not ib.isConnected():
                break
            await asyncio.sleep(0.1)
        self.fills += len(trade.fills)

    async def _contracts(self, ib: ib_async.IB, symbol: str) -> list[ib_async.Contract]:
        """The share itself and some options that live for a while, nearest the money."""
        if symbol in self._known:
            return self._known[symbol]
        (share,) = await self._qualified(ib, ib_async.Stock(symbol, "SMART", "USD"))
        chains = await ib.reqSecDefOptParamsAsync(symbol, "", "STK", share.conId)
        chain = next(each for each in chains if each.exchange == "SMART")
        expiry = sorted(chain.expirations)[3]
        (ticker,) = await ib.reqTickersAsync(share)
        near = sorted(chain.strikes, key=lambda strike: abs(strike - ticker.marketPrice()))[:6]
        asked = [
            ib_async.Option(symbol, expiry, strike, right, "SMART")
            for strike in near
            for right in ("P", "C")
        ]
        self._known[symbol] = [share, *await self._qualified(ib, *asked)]
        return self._known[symbol]

    async def _qualified(
        self, ib: ib_async.IB, *asked: ib_async.Contract
    ) -> list[ib_async.Contract]:
        found = await ib.qualifyContractsAsync(*asked)
        known = [each for each in found if isinstance(each, ib_async.Contract)]
        if not known:
            raise ConnectionError(f"nothing is known of {asked[0].symbol}")
        return known
