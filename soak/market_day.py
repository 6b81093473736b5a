"""One market day at speed, with somebody else trading and processes killed; then the books.

`python -m soak day` starts a gateway and a desk with ten underlyings, kills the desk three times
and the gateway twice, and judges after the close: positions and cash to the cent, no refusal for
too many lines or messages, no mailbox over its bound, chain views on their cadence, tables filled.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
from rich.console import Console

from soak.processes import DeskLine, GatewayLine, Process, free_port
from soak.trader import Trader
from soak.truth import Truth, read_truth
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs, iso, new_york_clock
from thetawarden.infra.journal.reader import open_log
from thetawarden.messages.chains import ChainViewed
from thetawarden.messages.lifecycle import MailboxOverflowed
from thetawarden.messages.link import BrokerNoticed, LinkChanged
from thetawarden.messages.market import LineRefused

UNDERLYINGS = ("SPX", "XSP", "SPY", "QQQ", "IWM", "NDX", "RUT", "AAPL", "MSFT", "NVDA")
SHARES = ("SPY", "QQQ", "AAPL", "MSFT")
CLOSE_HOUR = 16
AFTER_CLOSE_NS = 5 * 60 * NS_PER_SECOND
FORBIDDEN = {100: "messages a second", 101: "lines"}
AGREE_S = 120.0
CENT = Decimal("0.01")
TABLES = (
    "option_snapshots",
    "underlying_bars",
    "futures_snapshots",
    "position_updates",
    "account_updates",
    "fills",
    "regimes",
    "notifications",
)


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What kind of day it is."""

    folder: Path
    speed: float = 30.0
    seed: int = 1
    start: str = "2026-03-02"
    desk_kills: int = 3
    gateway_kills: int = 2
    trade_every_s: float = 15.0
    minutes: float | None = None


class Verdict(msgspec.Struct, kw_only=True):
    """What was found; `wrong` is empty after a good day."""

    wrong: list[str] = msgspec.field(default_factory=list)
    figures: dict[str, float | str] = msgspec.field(default_factory=dict)


def run_day(terms: Terms) -> Verdict:
    """Live through the day and judge it."""
    console = Console(highlight=False)
    terms.folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    gateway = Process(
        _gateway_arguments(terms, port), home=terms.folder, log=_log(terms, "gateway")
    )
    _configure(terms, port)
    desk = Process(["run"], home=terms.folder, log=_log(terms, "desk"))
    line, eyes = GatewayLine(port), DeskLine(terms.folder)
    trader = Trader(port=port, symbols=SHARES, every_s=terms.trade_every_s, seed=terms.seed)
    gateway.start()
    began_ns = int(line.wait()["market_ns"])
    try:
        desk.start()
        trader.start()
        for what in _moments(terms, line, began_ns, console):
            (gateway if what == "gateway" else desk).kill()
            (gateway if what == "gateway" else desk).start()
            console.print(f"  killed the {what}")
        trader.stop()
        verdict = _judge(port, eyes)
    finally:
        desk.end()
        gateway.end()
    verdict.figures |= {"orders": trader.orders, "fills": trader.fills, "links": trader.links}
    verdict.figures |= {"desk starts": desk.starts, "gateway starts": gateway.starts}
    _judge_log(terms, verdict)
    return verdict


def _moments(terms: Terms, line: GatewayLine, began_ns: int, console: Console) -> Iterator[str]:
    """Yield whom to kill, each at its moment, until the day is over."""
    ends_ns = _end_of_day(terms, began_ns)
    chance = random.Random(terms.seed)
    plan = ["desk"] * terms.desk_kills + ["gateway"] * terms.gateway_kills
    chance.shuffle(plan)
    span = ends_ns - began_ns - AFTER_CLOSE_NS
    due = [
        began_ns + round(span * (number + chance.uniform(0.6, 1.0)) / (len(plan) + 1))
        for number in range(len(plan))
    ]
    told = 0.0
    while True:
        status = line.wait()
        now_ns = int(status["market_ns"])
        if plan and now_ns >= due[0]:
            due.pop(0)
            yield plan.pop(0)
        if now_ns >= ends_ns:
            return
        if time.monotonic() - told > 15.0:
            told = time.monotonic()
            done = (now_ns - began_ns) / (ends_ns - began_ns)
            console.print(f"{iso(UnixNs(now_ns))}  {done:.0%} of the day")
        time.sleep(0.5)


def _end_of_day(terms: Terms, began_ns: int) -> int:
    if terms.minutes is not None:
        return began_ns + round(terms.minutes * 60 * NS_PER_SECOND)
    began = new_york_clock(began_ns)
    close = began.replace(hour=CLOSE_HOUR, minute=0, second=0, microsecond=0)
    return round(close.timestamp()) * NS_PER_SECOND + AFTER_CLOSE_NS


def _judge(port: int, eyes: DeskLine) -> Verdict:
    """Compare the desk with the gateway, giving it time to come to terms with the last kill."""
    verdict = Verdict()
    until, found = time.monotonic() + AGREE_S, ["the desk never answered"]
    while time.monotonic() < until:
        found = _differences(read_truth(port), eyes)
        if not found:
            break
        time.sleep(2.0)
    verdict.wrong += found
    seen = eyes.ask("inspect") or {"actors": []}
    for actor in seen["actors"]:
        deep = {lane: depth for lane, depth in actor["lanes"].items() if depth > 1000}
        if deep:
            verdict.wrong.append(f"{actor['name']} has {deep} waiting after the close")
        if actor["state"] != "running":
            verdict.wrong.append(f"{actor['name']} is {actor['state']}")
    lake = eyes.ask("lake", "info") or {}
    rows = {each["table"]: each["rows"] for each in lake.get("tables", ())}
    empty = [table for table in TABLES if not rows.get(table)]
    if empty:
        verdict.wrong.append(f"empty tables: {', '.join(empty)}")
    verdict.figures |= {f"rows of {table}": rows.get(table, 0) for table in TABLES}
    return verdict


def _differences(truth: Truth, eyes: DeskLine) -> list[str]:
    status, positions = eyes.ask("status"), eyes.ask("positions")
    valued = eyes.ask("log", "show", "--type", "PositionsValued", "--limit", "1")
    if status is None or positions is None or not valued:
        return ["the desk does not answer"]
    wrong = [] if status["reconciled"] else ["the desk is not reconciled"]
    held = {each["conid"]: Decimal(str(each["quantity"])) for each in positions}
    for conid in sorted(held.keys() | truth.positions.keys()):
        ours, theirs = held.get(conid, Decimal()), truth.positions.get(conid, Decimal())
        if ours != theirs:
            wrong.append(f"contract {conid}: {ours} here, {theirs} at the gateway")
    cash = {Decimal(each).quantize(CENT) for each in valued["body"]["cash_usd"].values()}
    if cash != {truth.cash_usd.quantize(CENT)}:
        wrong.append(f"cash: {sorted(cash)} here, {truth.cash_usd} at the gateway")
    return wrong


def _judge_log(terms: Terms, verdict: Verdict) -> None:
    """Read what was said all day: refusals, overflows, and the gaps between chain views."""
    up_since: int | None = None
    last: dict[str, int] = {}
    gaps: list[int] = []
    with open_log(terms.folder / "practice" / "log") as days:
        for day in days:
            kinds = (BrokerNoticed, LineRefused, MailboxOverflowed, ChainViewed, LinkChanged)
            for envelope in day.of_kinds(tuple(kind.__name__ for kind in kinds)):
                match envelope.body:
                    case BrokerNoticed(code=code) | LineRefused(code=code) if code in FORBIDDEN:
                        at, much = iso(envelope.at_ns), FORBIDDEN[code]
                        verdict.wrong.append(f"error {code} at {at}: too many {much}")
                    case MailboxOverflowed() as overflow:
                        verdict.wrong.append(f"{overflow.actor}: {overflow.lane} lane overflowed")
                    case LinkChanged(entries=entries):
                        up_since = envelope.at_ns if entries else None
                        last.clear()
                    case ChainViewed() as viewed if up_since is not None:
                        before = last.get(viewed.underlying)
                        if before is not None:
                            gaps.append(envelope.at_ns - before)
                        last[viewed.underlying] = envelope.at_ns
    _judge_gaps(terms, gaps, verdict)


def _judge_gaps(terms: Terms, gaps: list[int], verdict: Verdict) -> None:
    if not gaps:
        verdict.wrong.append("no two chain views followed each other")
        return
    real_s = sorted(gap / NS_PER_SECOND / terms.speed for gap in gaps)
    verdict.figures["chain views"] = len(gaps)
    for share in (0.5, 0.99, 1.0):
        row = min(len(real_s) - 1, int(share * len(real_s)))
        verdict.figures[f"view gap p{share * 100:g} (machine s)"] = round(real_s[row], 3)


def _gateway_arguments(terms: Terms, port: int) -> list[str]:
    state = str(terms.folder / "gateway")
    market = ["--speed", f"{terms.speed:g}", "--seed", str(terms.seed), "--start", terms.start]
    return ["gateway", "--port", str(port), "--state", state, *market]


def _configure(terms: Terms, port: int) -> None:
    names = ", ".join(UNDERLYINGS)
    (terms.folder / "thetawarden.yaml").write_text(
        "practice:\n  same_day: false\n"
        "  gateway: false\n"
        f"  port: {port}\n"
        f"  speed: {terms.speed:g}\n"
        "chains:\n"
        f"  underlyings: [{names}]\n"
    )


def _log(terms: Terms, name: str) -> Path:
    return terms.folder / f"{name}.log"
