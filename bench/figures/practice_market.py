"""The practice market: two years without a free lunch, quotes a second, time to the first quote."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import time

from bench.harness import Figure, Goal
from bench.market_study import violations
from thetawarden.domain.instants import NS_PER_MINUTE, new_york_ns
from thetawarden.domain.market.calendar import next_session
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.practice.market import PracticeMarket, ScenarioName, Terms
from thetawarden.practice.model import ContractQuery

FIRST = dt.date(2026, 1, 5)
SESSIONS = 504
OPTIONS = 100
_CLASSES = (("SPX", "SPXW"), ("SPX", "SPX"), ("SPY", "SPY"), ("AAPL", "AAPL"), ("NDX", "NDXP"))
_TIMES = (dt.time(9, 31), dt.time(11, 7), dt.time(12, 45))
_FIRST_QUOTE = """
import datetime as dt
from thetawarden.domain.instants import new_york_ns
from thetawarden.practice.market import PracticeMarket, Terms
market = PracticeMarket(Terms(seed=1, start_ns=new_york_ns(dt.date(2026, 9, 14), dt.time(10))))
assert market.quote(756733).bid > 0
"""


def count_violations(
    sessions: int = SESSIONS, *, every: int = 1, scenario: str = "crash-2020-like"
) -> float:
    """Live through so many sessions and count what must never be seen, looking every so often."""
    market = PracticeMarket(
        Terms(
            seed=3,
            start_ns=new_york_ns(FIRST, dt.time(9, 30)),
            scenario=ScenarioName(scenario),
        )
    )
    day, bad = FIRST, 0
    for number in range(sessions):
        look, last = divmod(number, every)
        if last == 0:
            market.advance(new_york_ns(day, _TIMES[look % len(_TIMES)]))
            bad += violations.of_prices(market)
            bad += violations.of_chains(market, *_CLASSES[look % len(_CLASSES)])[0]
        day = next_session(day, load_sessions(Exchange.NYSE))
    return float(bad)


def quotes_per_second(symbol: str = "SPX") -> float:
    """Quote a hundred options anew each quarter second of market time, for two minutes."""
    market = PracticeMarket(Terms(seed=1, start_ns=new_york_ns(dt.date(2026, 9, 14), dt.time(10))))
    found = market.find(ContractQuery(symbol=symbol, sec_type="OPT", expiry="20261016"))
    middle = len(found) // 3
    con_ids = [one.contract.con_id for one in found[middle : middle + OPTIONS]]
    market.quotes(con_ids)
    began = time.perf_counter()
    steps = 2 * NS_PER_MINUTE // 250_000_000
    for _ in range(steps):
        market.advance(market.now_ns + 250_000_000)
        market.quotes(con_ids)
    return steps * OPTIONS / (time.perf_counter() - began)


def first_quote_s() -> float:
    """Seconds from starting Python to the first quote."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", _FIRST_QUOTE], check=True)
    return time.perf_counter() - began


FIGURES = (
    Figure(
        name="practice-market: violations in 504 sessions",
        unit="violations",
        measure=count_violations,
        goals=(Goal(of="value", relation="<=", limit=0.0),),
        repetitions=1,
    ),
    Figure(
        name="practice-market: option quotes",
        unit="quotes/s",
        measure=quotes_per_second,
        goals=(Goal(of="value", relation=">=", limit=20_000.0),),
        repetitions=3,
    ),
    Figure(
        name="practice-market: American option quotes",
        unit="quotes/s",
        measure=lambda: quotes_per_second("SPY"),
        reference="European ones",
        measure_reference=quotes_per_second,
        goals=(Goal(of="value", relation=">=", limit=20_000.0),),
        repetitions=3,
    ),
    Figure(
        name="practice-market: start to first quote",
        unit="s",
        measure=first_quote_s,
        goals=(Goal(of="value", relation="<=", limit=2.0),),
        repetitions=3,
    ),
)
