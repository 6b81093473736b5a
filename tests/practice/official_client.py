"""The official-protocol client in its own threads, writing down every callback it makes."""

import asyncio
import functools
import inspect
import threading

from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.order import Order
from ibapi.wrapper import EWrapper


def _recording(name, original):
    @functools.wraps(original)
    def note(self, *args, **kwargs):
        bound = inspect.signature(original).bind(self, *args, **kwargs)
        bound.apply_defaults()
        self.told.append((name, tuple(bound.arguments.values())[1:]))

    return note


class Recorder(EWrapper):
    def __init__(self):
        self.told = []


for _name, _method in inspect.getmembers(EWrapper, inspect.isfunction):
    if not _name.startswith("_"):
        setattr(Recorder, _name, _recording(_name, _method))


class OfficialClient:
    """Connect, ask through `ask`, and read `calls(name)`."""

    def __init__(self):
        self._wrapper = Recorder()
        self.ask = EClient(self._wrapper)
        self._thread = None

    async def connect(self, port, *, client_id):
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self.ask.connect, "127.0.0.1", port, client_id)
        self._thread = threading.Thread(target=self.ask.run, daemon=True)
        self._thread.start()

    async def close(self):
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._close)

    def _close(self):
        reader = getattr(self.ask, "reader", None)
        self.ask.disconnect()
        for thread in (self._thread, reader):
            if thread is not None:
                thread.join(timeout=5)

    def calls(self, name):
        return [args for called, args in list(self._wrapper.told) if called == name]

    def codes(self):
        return [args[1] for args in self.calls("error") if args[1] not in (2104, 2106, 2158)]


def option(**changes):
    contract = Contract()
    contract.symbol, contract.secType, contract.exchange = "SPY", "OPT", "SMART"
    contract.currency, contract.lastTradeDateOrContractMonth = "USD", "20260320"
    contract.strike, contract.right, contract.multiplier = 500.0, "P", "100"
    for name, value in changes.items():
        setattr(contract, name, value)
    return contract


def stock(symbol="SPY"):
    contract = Contract()
    contract.symbol, contract.secType = symbol, "STK"
    contract.exchange, contract.currency = "SMART", "USD"
    return contract


def limit(action, quantity, price, **changes):
    order = Order()
    order.action, order.totalQuantity = action, quantity
    order.orderType, order.lmtPrice = "LMT", price
    order.eTradeOnly = order.firmQuoteOnly = False
    for name, value in changes.items():
        setattr(order, name, value)
    return order


def market(action, quantity):
    return limit(action, quantity, 0.0, orderType="MKT")
