"""Two years of practice sessions with random orders, and how many days leave a cent unexplained.

Every morning net liquidation is rebuilt from what was put in and earned, what closing positions has
realized and what open ones show, and must be equal to the last decimal; so must ledger and cash.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np

from bench.harness import Figure, Goal
from thetawarden.domain.instants import NS_PER_SECOND, new_york_ns
from thetawarden.domain.market.calendar import next_session
from thetawarden.domain.market.sessions import Exchange as Venue
from thetawarden.domain.market.sessions import load_sessions
from thetawarden.practice import model
from thetawarden.practice.account.book import Book, realized_usd
from thetawarden.practice.account.holdings import value_usd
from thetawarden.practice.account.ledger import EntryKind, totals_usd
from thetawarden.practice.account.money import ZERO, price_usd
from thetawarden.practice.exchange import appraisal
from thetawarden.practice.exchange.exchange import PracticeExchange
from thetawarden.practice.market import PracticeMarket, Terms

FIRST = dt.date(2026, 1, 5)
SESSIONS = 504
ORDERS_PER_DAY = 3
UNDERLYINGS = ("SPX", "SPY", "QQQ", "AAPL")
_MORNING = dt.time(10)
_EARNED = (EntryKind.DEPOSIT, EntryKind.INTEREST, EntryKind.DIVIDEND)


def unexplained_days(sessions: int = SESSIONS, seed: int = 7) -> float:
    """Trade at random through so many sessions and count the days that do not add up."""
    market = PracticeMarket(Terms(seed=seed, start_ns=new_york_ns(FIRST, _MORNING)))
    exchange = PracticeExchange(market)
    luck = np.random.default_rng(seed)
    day, bad = FIRST, 0
    for number in range(sessions):
        exchange.advance(new_york_ns(day, _MORNING))
        for _ in range(ORDERS_PER_DAY):
            _trade(exchange, luck, number)
        exchange.advance(exchange.now_ns + 20 * NS_PER_SECOND)
        exchange.cancel_all()
        bad += not _adds_up(exchange)
        day = next_session(day, load_sessions(Venue.NYSE))
    return float(bad)


def _trade(exchange: PracticeExchange, luck: np.random.Generator, number: int) -> None:
    contract = _pick(exchange, luck)
    if contract is None:
        return
    order_id = number * 10 + len(exchange.floor.state.orders) + 1
    exchange.place(
        model.OrderRequest(
            key=model.OrderKey(client_id=1, order_id=order_id),
            contract=model.ContractQuery(con_id=contract.con_id),
            action=luck.choice([model.Action.BUY, model.Action.SELL]),
            quantity=int(luck.integers(1, 4)),
            order_type="MKT",
        )
    )


def _pick(exchange: PracticeExchange, luck: np.random.Generator) -> model.Contract | None:
    symbol = str(luck.choice(UNDERLYINGS))
    kind = "IND" if symbol == "SPX" else "STK"
    market = exchange.market
    under = market.find(model.ContractQuery(symbol=symbol, sec_type=kind))[0].contract
    if kind == "STK" and luck.random() < 0.2:
        return under
    chains = [one for one in market.chains(under_con_id=under.con_id) if one.exchange == "SMART"]
    chain = chains[int(luck.integers(len(chains)))]
    quote = market.quote(under.con_id)
    expiry = sorted(chain.expiries)[int(luck.integers(min(len(chain.expiries), 6)))]
    wanted = ((quote.last if quote else None) or 100.0) * luck.uniform(0.93, 1.07)
    strike = min(chain.strikes, key=lambda one: abs(one - wanted))
    found = market.find(
        model.ContractQuery(
            symbol=symbol,
            sec_type="OPT",
            expiry=f"{expiry:%Y%m%d}",
            strike=strike,
            right=str(luck.choice(["C", "P"])),
            trading_class=chain.trading_class,
        )
    )
    return found[0].contract if found else None


def _adds_up(exchange: PracticeExchange) -> bool:
    return all(_explained(exchange, one) for one in exchange.floor.state.books.values())


def _explained(exchange: PracticeExchange, book: Book) -> bool:
    totals = totals_usd(book.ledger)
    income = sum((totals.get(kind, ZERO) for kind in _EARNED), ZERO)
    still_open = sum(
        (
            value_usd(one, price_usd(appraisal.mark_of(exchange.floor, one.contract)))
            - one.cost_usd
            for one in book.holdings.values()
            if one.quantity
        ),
        Decimal(0),
    )
    worth = appraisal.net_liquidation_usd(exchange.floor, book)
    whole = sum(totals.values(), ZERO) == book.cash_usd
    return whole and worth == income + book.accrued_usd + realized_usd(book) + still_open


FIGURES = (
    Figure(
        name="practice books: sessions of two years with an unexplained cent",
        unit="days",
        measure=unexplained_days,
        goals=(Goal(of="value", relation="<=", limit=0.0),),
        repetitions=1,
    ),
)
