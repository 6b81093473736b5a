"""The practice gateway from outside: what it delivers to unmodified ib_async clients, and when."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, AnyStr

import ib_async

from bench.harness import Figure, Goal
from thetawarden.practice.admin import Command, ask
from thetawarden.practice.wire.encode.session import managed_accounts, next_valid_id
from thetawarden.practice.wire.encode.ticks import assemble, tick_price, tick_size
from thetawarden.practice.wire.text import message

LINES = 100
CLIENTS = 8
FLAT_OUT_S = 5.0
LOAD_S = 15.0
CLOCK_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@contextmanager
def _gateway(speed: float) -> Iterator[tuple[int, int]]:
    """Run a gateway; give its port and process id."""
    command = [sys.executable, "-m", "bench.practice_server", str(speed)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        ready = json.loads(_pipe(process.stdout).readline())
        yield int(ready["listening"].rpartition(":")[2]), process.pid
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _pipe(stream: IO[AnyStr] | None) -> IO[AnyStr]:
    """Return a pipe that Popen was asked for; its type does not know that."""
    if stream is None:
        raise RuntimeError("the process has no such pipe")
    return stream


async def _connected(port: int, client_id: int) -> Any:
    logging.getLogger("ib_async").setLevel(logging.CRITICAL)
    client = ib_async.IB()
    await client.connectAsync("127.0.0.1", port, clientId=client_id, timeout=20)
    client.client.MaxRequests = 0
    return client


def _count_messages(client: Any) -> Callable[[], int]:
    """Count every message the client decodes."""
    count = 0
    decode = client.client.decoder.interpret

    def interpret(fields: list[str]) -> None:
        nonlocal count
        count += 1
        decode(fields)

    client.client.decoder.interpret = interpret
    return lambda: count


async def _subscribed(client: Any, day: int) -> list[Any]:
    """Subscribe to a hundred options around the money and wait for all their Greeks."""
    (index,) = await client.qualifyContractsAsync(ib_async.Index("SPX", "CBOE"))
    (ticker,) = await client.reqTickersAsync(index)
    chains = await client.reqSecDefOptParamsAsync("SPX", "", "IND", index.conId)
    chain = next(one for one in chains if (one.exchange, one.tradingClass) == ("SMART", "SPXW"))
    option = ib_async.Option(
        "SPX", sorted(chain.expirations)[day], 0.0, "P", "SMART", tradingClass="SPXW"
    )
    details = await client.reqContractDetailsAsync(option)
    contracts = sorted(
        (one.contract for one in details), key=lambda one: abs(one.strike - ticker.last)
    )
    lines = [client.reqMktData(one) for one in contracts[:LINES]]
    give_up_s = time.monotonic() + 30
    while time.monotonic() < give_up_s:
        if all(line.modelGreeks is not None for line in lines):
            break
        await asyncio.sleep(0.02)
    return lines


def _ticks_flat_out() -> float:
    async def measure(port: int) -> float:
        client = await _connected(port, 1)
        await _subscribed(client, day=5)
        count = _count_messages(client)
        started_s = time.perf_counter()
        await asyncio.sleep(FLAT_OUT_S)
        rate = count() / (time.perf_counter() - started_s)
        client.disconnect()
        return rate

    with _gateway(0) as (port, _):
        return asyncio.run(measure(port))


BARE = """
import socket, sys
blob, greeting = bytes.fromhex(sys.stdin.readline()), bytes.fromhex(sys.stdin.readline())
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
peer, _ = listener.accept()
peer.recv(4096)
peer.sendall(greeting[:int(sys.argv[1])])
peer.recv(4096)
peer.sendall(greeting[int(sys.argv[1]):])
try:
    while True:
        peer.sendall(blob)
except OSError:
    pass
"""


def _ticks_bare() -> float:
    """The same client fed ready-made ticks by a bare socket: the client's own ceiling."""
    ticks = [tick_price(1, 5.25, size=10, mask=1), tick_size(0, 10)] * 2
    ticks += [tick_price(2, 5.5, size=10, mask=1), tick_size(3, 10)]
    blob = b"".join(assemble(number, ticks) for number in range(1, LINES + 1))
    hello = message(178, "20260302 10:00:00 EST")
    rest = managed_accounts(["DU1"]) + next_valid_id(1)

    async def measure(port: int) -> float:
        client: Any = ib_async.IB()
        logging.getLogger("ib_async").setLevel(logging.CRITICAL)
        await client.client.connectAsync("127.0.0.1", port, clientId=1, timeout=10)
        for number in range(1, LINES + 1):
            contract = ib_async.Contract(conId=number)
            client.wrapper.startTicker(number, contract, "mktData")
        count = _count_messages(client)
        started_s = time.perf_counter()
        await asyncio.sleep(FLAT_OUT_S)
        rate = count() / (time.perf_counter() - started_s)
        client.client.disconnect()
        return rate

    process = subprocess.Popen(
        [sys.executable, "-c", BARE, str(len(hello))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    _pipe(process.stdin).write(f"{blob.hex()}\n{(hello + rest).hex()}\n")
    _pipe(process.stdin).flush()
    try:
        return asyncio.run(measure(int(_pipe(process.stdout).readline())))
    finally:
        process.kill()
        process.communicate()


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS_PER_S


def _load() -> tuple[float, int]:
    """Return the share of a core the gateway takes, and the largest backlog of any client."""

    async def measure(port: int, pid: int) -> tuple[float, int]:
        clients = [await _connected(port, number) for number in range(1, CLIENTS + 1)]
        for day, client in enumerate(clients):
            await _subscribed(client, day=3 + day)
        before_s, started_s, backlog = _cpu_s(pid), time.perf_counter(), 0
        while time.perf_counter() - started_s < LOAD_S:
            await asyncio.sleep(0.5)
            status = await ask(Command(do="status"), port=port)
            backlog = max(backlog, *status["backlog_bytes"])
        share = (_cpu_s(pid) - before_s) / (time.perf_counter() - started_s)
        for client in clients:
            client.disconnect()
        return share, backlog

    with _gateway(1) as (port, pid):
        return asyncio.run(measure(port, pid))


def _first_quote_s() -> float:
    async def quote(port: int) -> None:
        client = await _connected(port, 1)
        contract = ib_async.Stock("SPY", "SMART", "USD", conId=756733)
        ticker = client.reqMktData(contract)
        while not ticker.hasBidAsk():  # noqa: ASYNC110 - polled: no event says "two-sided now"
            await asyncio.sleep(0.001)
        client.disconnect()

    started_s = time.perf_counter()
    with _gateway(1) as (port, _):
        asyncio.run(quote(port))
        return time.perf_counter() - started_s


def _imports_s() -> float:
    """Starting Python with the numeric libraries, and nothing of ours."""
    started_s = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import numpy, scipy.stats, msgspec"], check=True)
    return time.perf_counter() - started_s


FIGURES = (
    Figure(
        name="gateway.ticks_flat_out",
        unit="ticks/s",
        measure=_ticks_flat_out,
        reference="the same client, fed ready-made ticks by a bare socket",
        measure_reference=_ticks_bare,
        goals=(Goal(of="value", relation=">=", limit=20_000),),
        repetitions=3,
    ),
    Figure(
        name="gateway.load_core_share",
        unit=f"of a core, {CLIENTS} clients with {LINES} lines each in real time",
        measure=lambda: _load()[0],
        goals=(Goal(of="value", relation="<=", limit=0.8),),
        repetitions=1,
    ),
    Figure(
        name="gateway.load_backlog",
        unit="bytes waiting at most",
        measure=lambda: float(_load()[1]),
        goals=(Goal(of="value", relation="<=", limit=65_536),),
        repetitions=1,
    ),
    Figure(
        name="gateway.first_quote",
        unit="s from start to first quote",
        measure=_first_quote_s,
        reference="python importing numpy and scipy",
        measure_reference=_imports_s,
        goals=(Goal(of="value", relation="<=", limit=2.0),),
        repetitions=3,
    ),
)
