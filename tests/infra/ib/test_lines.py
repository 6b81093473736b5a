"""Wishes, ledger, adapter and a practice gateway together, over real threads and sockets.

The gateway counts: never more lines than there are, whatever is played on it.
"""

import contextlib

import msgspec
import pytest

from tests.actors.desks import until
from tests.infra.ib.desk import Gateway
from tests.infra.ib.linkdesk import RULES, Onlooker, linked
from tests.practice.fake_market import AAPL, EXPIRIES, SPX, SPY, STRIKES, option_con_id
from tests.practice.test_whole_gateway import exchange
from thetawarden.actors.post import ActorSpec
from thetawarden.actors.slots import Slots
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.lines import LineManner, LinePriority, LineWant
from thetawarden.domain.broker.quote import BrokerGreeks, DataType
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.market.contracts import Right
from thetawarden.domain.slots.limits import LineLimits
from thetawarden.infra.clock import WallClock
from thetawarden.infra.ib.pacing import Pace
from thetawarden.infra.ib.quotes import LineSettings, QuoteHandler
from thetawarden.messages.link import BrokerNoticed
from thetawarden.messages.market import (
    ContextObserved,
    LineRefused,
    LinesShared,
    QuotesObserved,
    SnapshotsTaken,
    SubscribeLine,
    WantLines,
)

S = 10**9
OPTIONS = [
    option_con_id(expiry=expiry, strike=strike, right=right)
    for expiry in EXPIRIES
    for strike in STRIKES
    for right in "CP"
]
NUMBERS = {
    "rotation_ns": S // 5,
    "rotation_batch": 4,
    "hold_ns": S // 5,
    "linger_ns": S // 10,
    "snapshot_gap_ns": S // 100,
    "retry_ns": S // 2,
}


def thing(conid):
    if conid == SPX:
        kind, symbol, exchange = InstrumentKind.INDEX, "SPX", "CBOE"
    elif conid in {SPY, AAPL}:
        kind, symbol, exchange = InstrumentKind.STOCK, {SPY: "SPY", AAPL: "AAPL"}[conid], "SMART"
    else:
        kind, symbol, exchange = InstrumentKind.OPTION, "SPY", "SMART"
    right = None if kind is not InstrumentKind.OPTION else Right("CP"[conid % 2])
    return Instrument(conid=conid, kind=kind, symbol=symbol, exchange=exchange, right=right)


def want(conid, priority=LinePriority.SCAN, manner=LineManner.STREAM):
    return LineWant(instrument=thing(conid), priority=priority, manner=manner, refresh_ns=3600 * S)


class Counted:
    """A gateway that notes the most lines any client ever held at once."""

    def __init__(self, **settings):
        self.gateway = Gateway(**settings)
        self.most = 0
        self.gateway.do(self._count)

    def _count(self, server):
        quotes = server.gateway.quotes
        add = quotes.add

        def counted(session, line):
            add(session, line)
            self.most = max(self.most, len(session.subscriptions.lines))

        quotes.add = counted

    def lines(self):
        return self.gateway.do(
            lambda server: sorted(
                line.contract.con_id
                for session in server.gateway.sessions.values()
                for line in session.subscriptions.lines.values()
            )
        )


@contextlib.contextmanager
def lined(*, rules=RULES, line_settings=None, limits=None, **settings):
    """A desk with the ledger and the adapter in it, a watcher of SPY and one of the context."""
    counted = Counted(**settings)

    def quote_handler(session, desk):
        chosen = LineSettings(**({"flush_ns": S // 100} | (line_settings or {})))
        return (QuoteHandler(session, desk, clock=WallClock(), settings=chosen),)

    ledger = LineLimits(**(NUMBERS | (limits or {})))
    with linked(
        counted.gateway,
        rules=rules,
        pace=Pace(per_s=400, reserved=10),
        slots=ActorSpec(
            name="slots",
            kind=Slots,
            settings={"limits": ledger, "wake_ns_min": S // 50},
            stop_deadline_ns=S,
        ),
        handlers=quote_handler,
        others=[
            ActorSpec(name=name, kind=Onlooker, settings={}, stop_deadline_ns=S)
            for name in ("chain/SPY", "context", "governor")
        ],
    ) as desk:
        desk.counted = counted
        yield desk


def wants(desk, owner, *lines):
    desk.desk.say(WantLines(owner=owner, wants=lines), sender=owner)


def quotes(desk, conid, kind=QuotesObserved):
    every = (one.told if kind is QuotesObserved else one.quotes for one in desk.said(kind))
    return [quote for quotes in every for quote in quotes if quote.conid == conid]


def told(desk, conid, kind=QuotesObserved):
    until(lambda: quotes(desk, conid, kind), what=f"a quote of {conid}")
    return quotes(desk, conid, kind)[-1]


def codes(desk):
    return [one.code for one in desk.said(LineRefused)]


def test_an_option_arrives_whole_and_an_index_as_far_as_there_is_any():
    with lined() as desk:
        wants(desk, "chain/SPY", want(OPTIONS[9], LinePriority.ENTRY))
        wants(desk, "context", want(SPX, LinePriority.CONTEXT))
        until(lambda: quotes(desk, OPTIONS[9]) and told(desk, OPTIONS[9]).greeks)

        option, index = told(desk, OPTIONS[9]), told(desk, SPX, ContextObserved)
        assert option.bid_usd < option.ask_usd
        assert option.data_type is DataType.LIVE
        assert option.greeks == BrokerGreeks(
            iv_annual=0.2, delta_per_share=-0.25, gamma_shares_per_usd=0.01,
            theta_usd_per_day=-0.05, underlying_usd=500.0,
        )  # fmt: skip
        assert option.open_interest is not None
        assert index.last_usd > 0
        assert (index.bid_usd, index.ask_usd, index.two_sided_ns) == (None, None, 0)


def test_two_owners_of_one_contract_have_one_line_and_both_hear_it():
    with lined() as desk:
        wants(desk, "chain/SPY", want(SPY, LinePriority.ENTRY))
        told(desk, SPY)
        wants(desk, "context", want(SPY, LinePriority.CONTEXT))
        told(desk, SPY, ContextObserved)

        wants(desk, "chain/SPY")
        wants(desk, "chain/SPY", want(AAPL))
        told(desk, AAPL)

        assert desk.counted.lines() == [AAPL, SPY]
        assert len(desk.said(SubscribeLine)) == 2


def test_scans_take_turns_until_all_were_seen_and_the_gateway_never_counts_a_line_too_many():
    with lined(lines_max=10, limits={"lines_max": 10, "reserve": 2}) as desk:
        wants(desk, "chain/SPY", *map(want, OPTIONS))
        wants(desk, "keeper", want(AAPL, LinePriority.POSITION))
        seen = set()

        def all_streamed():
            seen.update(one.instrument.conid for one in desk.said(SubscribeLine))
            return seen >= {*OPTIONS, AAPL}

        until(all_streamed, what="a turn for everybody")

        assert AAPL in desk.counted.lines()
        assert desk.counted.most <= 10
        assert codes(desk) == []


def test_snapshots_hold_no_line_and_come_in_batches():
    with lined(limits={"snapshots_max": 5}) as desk:
        lines = [want(conid, manner=LineManner.SNAPSHOT) for conid in OPTIONS]
        wants(desk, "chain/SPY", *lines)
        until(lambda: all(quotes(desk, conid) for conid in OPTIONS), what="all snapshots")
        until(lambda: sum(one.answered for one in desk.said(SnapshotsTaken)) == len(OPTIONS))

        assert desk.counted.lines() == []
        assert max(one.answered for one in desk.said(SnapshotsTaken)) <= 5


def test_a_gateway_with_fewer_lines_than_it_should_teaches_the_ledger_how_many_there_are():
    with lined(lines_max=6, limits={"lines_max": 10, "reserve": 0}) as desk:
        wants(desk, "chain/SPY", *[want(conid, LinePriority.ENTRY) for conid in OPTIONS[:12]])
        until(lambda: desk.said(LinesShared)[-1].limit == 6, what="the real limit")
        refused = len(codes(desk))
        wants(desk, "keeper", want(AAPL, LinePriority.POSITION))
        until(lambda: AAPL in desk.counted.lines())

        assert set(codes(desk)) == {101}
        assert len(codes(desk)) == refused == 4
        assert len(desk.paged()) == 1


def test_m08_lines_that_are_not_sold_are_left_alone_and_their_places_go_to_others():
    with lined(lines_max=3, limits={"lines_max": 3, "reserve": 0}) as desk:
        desk.counted.gateway.play("not-subscribed")
        wants(desk, "chain/SPY", *[want(conid, LinePriority.ENTRY) for conid in OPTIONS[:3]])
        until(lambda: len(codes(desk)) == 3, what="three refusals")
        desk.counted.gateway.end("not-subscribed")
        wants(desk, "keeper", want(AAPL, LinePriority.POSITION))
        until(lambda: desk.counted.lines() == [AAPL])

        assert set(codes(desk)) == {354}
        assert len(desk.paged()) == 1


def test_m08_delayed_data_is_shown_as_what_it_is():
    with lined() as desk:
        wants(desk, "chain/SPY", want(SPY))
        told(desk, SPY)
        desk.counted.gateway.play("delayed")
        until(lambda: told(desk, SPY).data_type is DataType.DELAYED)
        wants(desk, "chain/SPY", want(SPY), want(AAPL, LinePriority.POSITION, LineManner.STREAM))
        until(lambda: AAPL in desk.counted.lines())

        assert codes(desk) == []


@pytest.mark.parametrize(
    ("fault", "args", "bid"),
    [
        ("bad-price", {"value": "minus-one"}, None),
        ("bad-price", {"value": "negative"}, None),
        ("bad-price", {"value": "missing"}, None),
        ("bad-price", {"value": "zero"}, 0.0),
        ("not-a-number", {"value": "nan"}, None),
        ("not-a-number", {"value": "inf"}, None),
    ],
)
def test_m03_m04_what_is_no_price_is_told_as_unknown_and_the_link_lives_on(fault, args, bid):
    with lined() as desk:
        wants(desk, "chain/SPY", want(SPY), want(AAPL))
        assert told(desk, SPY).bid_usd > 0
        desk.counted.gateway.play(fault, con_id=SPY, **args)
        until(lambda: told(desk, SPY).bid_usd == bid, what=f"a bid of {bid}")

        assert told(desk, AAPL).bid_usd > 0
        assert desk.losses() == []


def test_m06_a_halt_is_part_of_the_quote_and_so_is_its_end():
    with lined(exchange=exchange()) as desk:
        wants(desk, "chain/SPY", want(SPY))
        assert not told(desk, SPY).halted
        desk.counted.gateway.play("halt", con_id=SPY)
        until(lambda: told(desk, SPY).halted, what="a halt")
        desk.counted.gateway.end("halt")

        until(lambda: told(desk, SPY).halted is False, what="the end of it")


def test_m08_frozen_data_is_told_as_such():
    with lined() as desk:
        wants(desk, "chain/SPY", want(SPY))
        told(desk, SPY)
        desk.counted.gateway.play("frozen-type")

        until(lambda: told(desk, SPY).data_type is DataType.FROZEN)


def test_m12_in_a_burst_messages_stay_few_and_every_tick_counts():
    with lined(line_settings={"flush_ns": S // 5}, speed=200.0) as desk:
        desk.counted.gateway.play("burst", factor=50)
        wants(desk, "chain/SPY", *map(want, OPTIONS[:20]))
        until(
            lambda: sum(one.updates for each in OPTIONS[:20] for one in quotes(desk, each)) > 10**4
        )

        updates = sum(one.updates for each in OPTIONS[:20] for one in quotes(desk, each))
        assert updates > 100 * len(desk.said(QuotesObserved))


def test_m13_greeks_the_broker_does_not_compute_are_unknown():
    with lined(speed=20.0) as desk:
        desk.counted.gateway.play("bad-greeks", kind="missing")
        wants(desk, "chain/SPY", want(OPTIONS[9]))
        until(lambda: len(quotes(desk, OPTIONS[9])) > 3, what="quotes with and after the model")

        assert all(quote.greeks is None for quote in quotes(desk, OPTIONS[9]))


def test_n09_after_a_loss_of_data_every_line_is_there_again():
    with lined() as desk:
        wants(desk, "chain/SPY", *map(want, OPTIONS[:20]))
        until(lambda: len(desk.counted.lines()) == 20, what="twenty lines")

        desk.counted.gateway.play("data-lost")
        desk.counted.gateway.end("data-lost")
        desk.until_link(LinkState.READY, epoch=2)
        until(lambda: len(desk.counted.lines()) == 20, what="twenty lines again")

        assert {one.epoch for one in desk.said(SubscribeLine)} == {1, 2}
        assert desk.counted.most == 20


def test_n10_after_a_blip_that_kept_the_data_no_line_is_asked_for_twice():
    with lined() as desk:
        wants(desk, "chain/SPY", *map(want, OPTIONS[:5]))
        until(lambda: len(desk.counted.lines()) == 5, what="five lines")
        before = len(desk.links())

        desk.counted.gateway.play("data-kept")
        desk.until_link(LinkState.READY, epoch=1, after=before)

        assert len(desk.said(SubscribeLine)) == 5
        assert len(desk.counted.lines()) == 5


def test_n11_lines_a_rival_took_come_back_when_it_has_gone():
    with lined(rules=msgspec.structs.replace(RULES, look_again_ns=S // 10)) as desk:
        wants(desk, "chain/SPY", *map(want, OPTIONS[:8]))
        until(lambda: len(desk.counted.lines()) == 8, what="eight lines")

        desk.counted.gateway.play("competing-session")
        desk.until_link(LinkState.COMPETING, epoch=1)
        until(lambda: len(codes(desk)) >= 8, what="eight refusals")
        desk.counted.gateway.end("competing-session")
        until(lambda: len(desk.counted.lines()) == 8, what="eight lines again")

        assert set(codes(desk)) == {10197}
        assert [one.code for one in desk.said(BrokerNoticed)].count(10197) >= 1


def test_a_request_the_gateway_lost_is_noticed_by_its_silence_and_made_again():
    unprobed = msgspec.structs.replace(RULES, probe_ns=3600 * S)
    with lined(rules=unprobed, line_settings={"silent_s": 0.5}) as desk:
        wants(desk, "chain/SPY", want(AAPL))
        told(desk, AAPL)
        desk.counted.gateway.play("pacing", count=1)
        wants(desk, "chain/SPY", want(AAPL), want(SPY))
        until(lambda: desk.counted.lines() == [AAPL, SPY], what="the line after all")

        assert codes(desk) == [0]
