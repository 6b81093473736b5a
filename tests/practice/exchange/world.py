"""A small deterministic market for exchange tests: prices stand still unless a test moves them."""

import datetime as dt
import math
from decimal import Decimal

from thetawarden.domain.instants import NS_PER_DAY, NS_PER_SECOND, new_york_date, new_york_ns
from thetawarden.domain.market.calendar import sessions_between
from thetawarden.domain.market.sessions import Exchange as Venue
from thetawarden.domain.market.sessions import load_sessions
from thetawarden.domain.pricing.black import bsm_price
from thetawarden.practice import model
from thetawarden.practice.account.book import AccountTerms
from thetawarden.practice.exchange.exchange import PracticeExchange
from thetawarden.practice.exchange.terms import ExchangeTerms

XYZ, ABC, SPX, ES = 101, 102, 200, 300
MONDAY = dt.date(2026, 3, 2)
FRIDAY = dt.date(2026, 3, 20)
LATER = dt.date(2026, 4, 17)
START_NS = new_york_ns(MONDAY, dt.time(10))
IV = 0.25
SPOTS = {XYZ: 100.0, ABC: 50.0, SPX: 5000.0, ES: 5000.0}
CENT_RULE, NICKEL_RULE, QUARTER_RULE = 26, 109, 67
RULES = {
    CENT_RULE: (model.PriceBand(low_edge=0.0, increment=0.01),),
    NICKEL_RULE: (
        model.PriceBand(low_edge=0.0, increment=0.05),
        model.PriceBand(low_edge=3.0, increment=0.10),
    ),
    QUARTER_RULE: (model.PriceBand(low_edge=0.0, increment=0.25),),
}
SHARE_TYPES = ("LMT", "MKT", "STP", "STPLMT", "TRAIL", "TRAILLMT", "MOC", "LOC")
ACCOUNT = "DU1000001"


def details(contract, *, rule=CENT_RULE, order_types=SHARE_TYPES, **changes):
    return model.ContractDetails(
        contract=contract,
        min_tick=RULES[rule][0].increment,
        market_name=contract.trading_class or contract.symbol,
        order_types=order_types,
        valid_exchanges=("SMART", "CBOE"),
        market_rule_ids=(rule, rule),
        long_name=contract.symbol,
        **changes,
    )


def stock(con_id, symbol):
    return details(
        model.Contract(
            con_id=con_id,
            symbol=symbol,
            sec_type=model.SecType.STOCK,
            primary_exchange="NYSE",
            local_symbol=symbol,
            trading_class=symbol,
        )
    )


def option_id(under, expiry, strike, right, *, weekly=False):
    day = (expiry - MONDAY).days
    return under * 10_000_000 + day * 100_000 + int(strike) * 4 + (right == "P") * 2 + weekly


def option(under, expiry, strike, right, *, weekly=False):
    index = under == SPX
    symbol = {XYZ: "XYZ", ABC: "ABC", SPX: "SPX"}[under]
    contract = model.Contract(
        con_id=option_id(under, expiry, strike, right, weekly=weekly),
        symbol=symbol,
        sec_type=model.SecType.OPTION,
        expiry=expiry,
        strike=strike,
        right=right,
        multiplier=100,
        local_symbol=f"{symbol} {expiry:%y%m%d}{right}{int(strike)}{'W' * weekly}",
        trading_class="SPXW" if weekly else symbol,
    )
    return details(
        contract,
        rule=NICKEL_RULE if index else CENT_RULE,
        order_types=SHARE_TYPES[:-2],
        under_con_id=under,
        under_symbol=symbol,
        under_sec_type="IND" if index else "STK",
        am_settled=index and not weekly,
        cash_settled=index,
    )


def listings():
    index = model.Contract(con_id=SPX, symbol="SPX", sec_type=model.SecType.INDEX, exchange="CBOE")
    future = model.Contract(
        con_id=ES,
        symbol="ES",
        sec_type=model.SecType.FUTURE,
        expiry=FRIDAY,
        multiplier=50,
        exchange="CME",
        trading_class="ES",
        local_symbol="ESH6",
    )
    listed = [
        stock(XYZ, "XYZ"),
        stock(ABC, "ABC"),
        details(index),
        details(
            future,
            rule=QUARTER_RULE,
            under_con_id=SPX,
            cash_settled=True,
            last_trade_time="09:30:00",
        ),
    ]
    for expiry in (FRIDAY, LATER):
        for right in "CP":
            listed += [option(XYZ, expiry, float(k), right) for k in range(70, 131, 5)]
            listed += [option(SPX, expiry, float(k), right) for k in range(4600, 5401, 50)]
            listed += [
                option(SPX, expiry, float(k), right, weekly=True) for k in range(4600, 5401, 50)
            ]
    return {one.contract.con_id: one for one in listed}


class FakeMarket:
    """Implements what the exchange asks of a market."""

    def __init__(self, start_ns=START_NS):
        self.now_ns, self.turns = start_ns, 0
        self.listed = listings()
        self.moves = {con_id: [(0, spot)] for con_id, spot in SPOTS.items()}
        self.fixed = {}
        self.dividends = {}
        self.size = 10
        self.half_spread = 0.02
        self.halted = set()

    def advance(self, to_ns):
        assert to_ns >= self.now_ns
        self.now_ns = to_ns

    def move(self, con_id, price, *, at_ns=None):
        self.moves[con_id].append((self.now_ns if at_ns is None else at_ns, price))

    def spot(self, con_id):
        return max((one for one in self.moves[con_id] if one[0] <= self.now_ns), default=(0, 0.0))[
            1
        ]

    def fix(self, con_id, bid, ask, *, size=None):
        """Quote a contract so, whatever the model says."""
        self.fixed[con_id] = (bid, ask, self.size if size is None else size)

    def find(self, query):
        if query.con_id:
            found = self.listed.get(query.con_id)
            return (found,) if found else ()
        wanted = {
            "symbol": query.symbol,
            "sec_type": query.sec_type,
            "strike": query.strike,
            "right": query.right,
            "trading_class": query.trading_class,
        }
        return tuple(
            one
            for one in self.listed.values()
            if all(
                not value or getattr(one.contract, key) == value for key, value in wanted.items()
            )
            and (not query.expiry or f"{one.contract.expiry:%Y%m%d}" == query.expiry)
        )

    def details(self, con_id):
        return self.listed.get(con_id)

    def market_rule(self, rule_id):
        return RULES.get(rule_id)

    def quote(self, con_id):
        listed = self.listed.get(con_id)
        if listed is None:
            return None
        fair = self.fair(listed)
        if con_id in self.fixed:
            bid, ask, size = self.fixed[con_id]
            mark = (bid + ask) / 2 if None not in (bid, ask) else fair
        else:
            step = listed.min_tick
            half = max(self.half_spread, step)
            bid = round(max(math.floor((fair - half) / step) * step, 0.0), 4)
            ask = round(math.ceil((fair + half) / step) * step, 4)
            size, mark = self.size, fair
        option = listed.contract.sec_type is model.SecType.OPTION
        return model.Quote(
            con_id=con_id,
            at_ns=self.now_ns,
            bid=bid or None,
            ask=ask,
            bid_size=size if bid else 0,
            ask_size=size if ask else 0,
            last=round(fair, 2),
            open=round(fair, 2),
            close=round(fair, 2),
            volume=1000,
            mark=round(mark, 4),
            halted=con_id in self.halted,
            model=model.Greeks(
                iv_annual=IV,
                price=fair,
                delta=None,
                gamma=None,
                vega=None,
                theta=None,
                pv_dividend=0.0,
                under_price=None,
            )
            if option
            else None,
        )

    def sides_ahead(self, _con_ids, _at_ns):
        """Nothing is known ahead: tests move these prices as they go."""

    def quotes(self, con_ids):
        return [self.quote(one) for one in con_ids]

    def fair(self, listed):
        contract = listed.contract
        if contract.sec_type is not model.SecType.OPTION:
            return self.spot(contract.con_id)
        return self.option_price(contract, self.spot(listed.under_con_id), IV)

    def option_price(self, contract, spot, iv_annual):
        left = new_york_ns(contract.expiry, dt.time(16)) - self.now_ns
        price = bsm_price(
            spot=spot,
            strike=contract.strike,
            tau_years=max(left / NS_PER_DAY / 365, 0.0),
            iv_annual=iv_annual,
            rate_annual=0.0,
            yield_annual=0.0,
            is_call=contract.right == "C",
        )
        return float(price)

    def sessions(self, *, con_id, first, last, regular):
        opens, closes = (dt.time(9, 30), dt.time(16)) if regular else (dt.time(4), dt.time(20))
        return tuple(
            model.Session(
                day=day, open_ns=new_york_ns(day, opens), close_ns=new_york_ns(day, closes)
            )
            for day in sessions_between(first, last, load_sessions(Venue.NYSE))
        )

    def events(self, *, con_id, first, last):
        return tuple(
            model.CorporateEvent(
                con_id=con_id,
                kind=model.CorporateEventKind.DIVIDEND,
                day=day,
                amount_usd=amount,
            )
            for day, amount in self.dividends.get(con_id, {}).items()
            if first <= day <= last
        )

    def split(self, *, con_id, new_shares, old_shares):
        self.move(con_id, self.spot(con_id) * old_shares / new_shares)
        return True


class World:
    """An exchange over the fake market, and everything it said."""

    def __init__(self, *, terms=None, market=None, deposit=100_000, **changes):
        self.market = market or FakeMarket()
        self.terms = terms or ExchangeTerms(
            accounts=(AccountTerms(account=ACCOUNT, deposit_usd=Decimal(deposit), **changes),)
        )
        self.exchange = PracticeExchange(self.market, self.terms)
        self.said = []
        self.exchange.listen(self.said.append)
        self.next_id = 1

    @property
    def book(self):
        return self.exchange.floor.state.books[ACCOUNT]

    @property
    def cash(self):
        return self.book.cash_usd

    def request(self, con_id, action, quantity, order_type="LMT", **fields):
        order_id = fields.pop("order_id", None) or self.next_id
        self.next_id = max(self.next_id, order_id) + 1
        contract = fields.pop("contract", None) or model.ContractQuery(con_id=con_id)
        return model.OrderRequest(
            key=model.OrderKey(client_id=fields.pop("client_id", 1), order_id=order_id),
            contract=contract,
            action=model.Action(action),
            quantity=quantity,
            order_type=order_type,
            **fields,
        )

    def place(self, con_id, action, quantity, order_type="LMT", **fields):
        request = self.request(con_id, action, quantity, order_type, **fields)
        self.exchange.place(request)
        return request.key

    def run(self, seconds=1.0):
        self.exchange.advance(self.market.now_ns + int(seconds * NS_PER_SECOND))

    def run_to(self, day, at):
        self.exchange.advance(new_york_ns(day, at))

    def heard(self):
        """What was said since the last time, in one line each."""
        lines = [line(one) for one in self.said]
        self.said.clear()
        return lines

    def codes(self):
        return [one.notice.code for one in self.said if isinstance(one, model.OrderNoticed)]

    def view(self, key):
        return next((one for one in self.exchange.open_orders() if one.request.key == key), None)

    def ended(self, key):
        return next(
            (one for one in self.exchange.completed_orders() if one.request.key == key), None
        )

    def held(self, con_id):
        return next(
            (one.quantity for one in self.exchange.positions() if one.contract.con_id == con_id),
            0,
        )

    def executions(self):
        return [one for one, _ in self.exchange.executions(model.ExecutionFilter())]

    def today(self):
        return new_york_date(self.market.now_ns)

    def rows(self):
        return {(one.key, one.currency): one.value for one in self.exchange.account_rows(ACCOUNT)}


def line(event):
    match event:
        case model.OrderChanged(view=view):
            cost = "" if view.commission_usd is None else " with cost"
            held = f" ({view.why_held})" if view.why_held else ""
            return (
                f"{view.request.key.order_id} {view.status.value} {view.filled}/"
                f"{view.filled + view.remaining}{held}{cost}"
            )
        case model.OrderNoticed(key=key, notice=notice):
            return f"{key.order_id} says {notice.code}"
        case model.Executed(execution=one):
            return f"{one.key.order_id} {one.side.value} {one.quantity} @ {one.price:g}"
        case model.Commissioned(key=key):
            return f"{key.order_id} commissioned"
        case model.PositionChanged(position=one):
            return f"holds {one.quantity}"
        case model.AccountChanged():
            return "account"
