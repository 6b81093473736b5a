"""Every fault of market data, played by the practice gateway against a running watcher.

The real exchange, the wire, the adapter, the ledger of lines and the watcher on real threads;
judged by what the watcher says of the chain.
"""

import contextlib
import threading
import time

import pytest

from tests.infra.ib import linkdesk
from tests.infra.ib.desk import Gateway
from tests.infra.ib.linkdesk import LinkDesk, Onlooker
from tests.practice.test_whole_gateway import MORNING_NS, exchange
from thetawarden.actors.chain import Chain
from thetawarden.actors.post import ActorSpec
from thetawarden.actors.slots import Slots
from thetawarden.domain.chains.condition import Condition
from thetawarden.domain.chains.doubts import Doubt, DoubtLimits
from thetawarden.domain.chains.settings import EntryZone, Pace, WatchSettings
from thetawarden.domain.chains.view import judge_legs, read_rows, row_doubt
from thetawarden.domain.chains.windows import ExpiryWindow, StrikeWindow
from thetawarden.domain.slots.limits import LineLimits
from thetawarden.infra.ib import pacing
from thetawarden.infra.ib.discovery import DiscoveryHandler
from thetawarden.infra.ib.quotes import LineSettings, QuoteHandler
from thetawarden.messages.chains import ChainStateChanged, ChainViewed
from thetawarden.messages.lifecycle import MailboxOverflowed

S = 10**9
SPX = 416904
PATIENCE_S = 45.0
WORTHLESS_DELTA = 0.03
SETTINGS = WatchSettings(
    expiries_index=(ExpiryWindow(dte_max=4, expiries_max=2, expiries_min=2),),
    strikes=StrikeWindow(strikes_min=5, strikes_max=10, pairs=5),
    entries=EntryZone(puts=3, expiries=2),
    limits=DoubtLimits(confirmations=10_000, frozen_after_ns=S),
    pace=Pace(
        view_ns=S // 5,
        idle_view_ns=S // 2,
        fit_ns=S,
        replan_ns=600 * S,
        stream_refresh_ns=30 * S,
        scan_refresh_ns=30 * S,
    ),
)


class MarketClock:
    """The gateway's market time at speed one, counted by the machine's own clock."""

    speed = 1.0
    monotonic_ns = elapsed_ns = staticmethod(time.monotonic_ns)

    def __init__(self):
        self._since_ns = time.monotonic_ns()

    def now_ns(self):
        return MORNING_NS + time.monotonic_ns() - self._since_ns


def actor(name, kind, **settings):
    return ActorSpec(name=name, kind=kind, settings=settings, stop_deadline_ns=S)


@contextlib.contextmanager
def watching(*, before=lambda _gateway: None):
    """A watcher of SPX on a gateway of its own; `before` may play a fault at once."""
    gateway = Gateway(exchange=exchange())
    clock = MarketClock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linkdesk, "WallClock", lambda: clock)
        limits = LineLimits(snapshot_gap_ns=S // 100)
        desk = LinkDesk(
            gateway.port,
            pace=pacing.Pace(per_s=400, reserved=10),
            slots=actor("slots", Slots, limits=limits, wake_ns_min=S // 50),
            handlers=lambda session, port: (
                DiscoveryHandler(session, port, clock=clock),
                QuoteHandler(session, port, clock=clock, settings=LineSettings(flush_ns=S // 100)),
            ),
            others=[
                actor("chain/SPX", Chain, underlying="SPX", settings=SETTINGS),
                *(actor(name, Onlooker) for name in ("context", "governor")),
            ],
        )
    try:
        before(gateway)
        with desk:
            desk.gateway = gateway
            yield Watched(desk)
    finally:
        gateway.stop()


class Watched:
    """What the watcher said, and the gateway's fault panel."""

    def __init__(self, desk):
        self.desk, self.gateway = desk, desk.gateway

    def view(self):
        views = self.desk.said(ChainViewed)
        return views[-1].view if views else None

    def doubts(self):
        """Every row's doubt by its number, None for one that may be used.

        Without those so far out of the money that there may be nobody to buy them.
        """
        rows = read_rows(self.view())
        return {
            conid: row_doubt(rows, at)
            for at, conid in enumerate(rows.conid.tolist())
            if not abs(rows.delta_per_share[at]) < WORTHLESS_DELTA
        }

    def until(self, holds, *, what):
        pause, deadline = threading.Event(), time.monotonic() + PATIENCE_S
        while not holds():
            view = self.view()
            assert time.monotonic() < deadline, (what, view and (view.summary, view.spot_doubt))
            pause.wait(0.02)

    def settle(self):
        """Wait until all of the chain is usable but for what is worth next to nothing."""
        self.until(self.is_settled, what="a usable chain")
        return self

    def is_settled(self):
        view = self.view()
        return (
            view is not None
            and view.fitted_ns > 0
            and view.summary.usable > 20
            and set(self.doubts().values()) == {None}
        )

    def near_money(self):
        rows = read_rows(self.view())
        return int(rows.conid[abs(abs(rows.delta_per_share) - 0.5).argmin()])

    @contextlib.contextmanager
    def playing(self, name, **args):
        """Play a fault; afterwards it ends, and everything must be usable again."""
        self.gateway.play(name, **args)
        yield
        self.gateway.end(name)
        self.settle()

    def sees(self, conid, *doubts):
        self.until(lambda: self.doubts()[conid] in doubts, what=f"{conid} is {doubts}")

    def sees_all(self, *doubts):
        self.until(
            lambda: set(self.doubts().values()) <= set(doubts), what=f"everything is {doubts}"
        )


@pytest.fixture(scope="module")
def desk():
    with watching() as watched:
        yield watched.settle()


@pytest.fixture
def watched(desk):
    return desk.settle()


def others_usable(watched, conid):
    found = {doubt for other, doubt in watched.doubts().items() if other != conid}
    return found == {None}


def test_a_chain_over_the_wire_has_our_own_greeks_close_to_the_brokers(watched):
    rows = read_rows(watched.view())
    told = rows.broker_delta == rows.broker_delta

    assert told.sum() > 10
    assert abs(rows.delta_per_share - rows.broker_delta)[told].max() < 0.03
    assert watched.desk.said(ChainStateChanged)[-1].state is Condition.WATCHING


def test_m02_crossed_and_locked_quotes_are_refused_alone_and_never_averaged(watched):
    conid = watched.near_money()
    for locked, doubt in ((False, Doubt.CROSSED), (True, Doubt.LOCKED)):
        with watched.playing("crossed", con_id=conid, locked=locked):
            watched.sees(conid, doubt)
            rows = read_rows(watched.view())
            assert rows.mid_usd[rows.conid.tolist().index(conid)] != rows.mid_usd[0]
            assert others_usable(watched, conid)


@pytest.mark.parametrize("value", ["minus-one", "zero", "negative", "missing"])
def test_m03_prices_that_are_none_are_refused(watched, value):
    conid = watched.near_money()

    with watched.playing("bad-price", con_id=conid, value=value):
        watched.sees(
            conid,
            *(Doubt.ONE_SIDED, Doubt.ZERO_BID, Doubt.ZERO_ASK, Doubt.NEGATIVE, Doubt.NO_SIZE),
        )
        assert others_usable(watched, conid)


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_m04_what_is_no_number_is_refused_and_spoils_nothing(watched, value):
    conid = watched.near_money()

    with watched.playing("not-a-number", con_id=conid, value=value):
        watched.sees(conid, Doubt.ONE_SIDED, Doubt.NOT_FINITE)
        assert others_usable(watched, conid)
        assert all(series.forward_usd for series in watched.view().series)


def test_m05_one_leg_that_is_doubtful_makes_the_spread_doubtful(watched):
    conid = watched.near_money()
    other = next(one for one, doubt in watched.doubts().items() if not doubt and one != conid)
    sound = judge_legs(watched.view(), (conid, other))

    with watched.playing("crossed", con_id=conid):
        watched.sees(conid, Doubt.CROSSED)
        spoilt = judge_legs(watched.view(), (conid, other))

    assert sound.usable
    assert (spoilt.usable, spoilt.doubts) == (False, ((conid, "crossed"),))


def test_m06_a_halt_of_the_underlying_halts_the_chain(watched):
    with watched.playing("halt", con_id=SPX):
        watched.sees_all(Doubt.HALTED)


def test_m07_a_quote_that_jumps_is_in_quarantine(watched):
    conid = watched.near_money()

    with watched.playing("spike", con_id=conid, factor=1.6):
        watched.sees(conid, Doubt.JUMPED)
        assert others_usable(watched, conid)


def test_m08_delayed_data_is_never_used(watched):
    with watched.playing("delayed"):
        watched.until(lambda: watched.view().spot_doubt == "not_live", what="nothing is live")
        assert watched.view().summary.usable == 0


@pytest.mark.parametrize(("zero_bid", "doubt"), [(False, Doubt.TOO_WIDE), (True, Doubt.ZERO_BID)])
def test_m09_a_wide_market_and_one_without_a_bid_are_refused(watched, zero_bid, doubt):
    conid = watched.near_money()

    with watched.playing("wide", con_id=conid, factor=60.0, zero_bid=zero_bid):
        watched.sees(conid, doubt, Doubt.ONE_SIDED)
        assert others_usable(watched, conid)


def test_m12_a_burst_is_merged_before_it_becomes_messages(watched):
    before = len(watched.desk.said(ChainViewed))
    started = time.monotonic()
    with watched.playing("burst", factor=50):
        watched.until(
            lambda: len(watched.desk.said(ChainViewed)) > before + 10, what="views in a burst"
        )
        took_s = time.monotonic() - started

    assert len(watched.desk.said(ChainViewed)) - before < 12 + 60 * took_s
    assert watched.desk.said(MailboxOverflowed) == []


def test_m13_absurd_greeks_of_the_broker_forbid_the_quote_and_missing_ones_do_not(watched):
    conid = watched.near_money()
    own = watched.view()

    with watched.playing("bad-greeks", con_id=conid, kind="absurd"):
        watched.sees(conid, Doubt.GREEKS_DIVERGE)
        rows = read_rows(watched.view())
        ours = rows.delta_per_share[rows.conid.tolist().index(conid)]
        assert abs(abs(ours) - 0.5) < 0.2
    with watched.playing("bad-greeks", con_id=conid, kind="missing"):
        watched.until(lambda: watched.view().number > own.number + 5, what="some views")
        assert watched.doubts()[conid] is None


@pytest.mark.parametrize("shift_s", [7200.0, -7200.0])
def test_m14_times_that_are_hours_off_change_nothing(watched, shift_s):
    def viewed():
        return [one.view for one in watched.desk.said(ChainViewed)][seen:]

    with watched.playing("bad-times", shift_s=shift_s):
        seen = len(watched.desk.said(ChainViewed))
        watched.until(lambda: len(viewed()) > 10, what="some views")
        dated = [(one, at) for one in viewed() for at in read_rows(one).at_ns.tolist() if at]

    assert dated
    assert all(abs(one.at_ns - at) < 3600 * S for one, at in dated)
    assert all(one.summary.usable > 20 for one in viewed())


def test_m10_adjusted_contracts_are_not_watched():
    with watching(before=lambda gateway: gateway.play("adjusted", multiplier=150)) as watched:
        refused = ("adjusted_class", "multiplier")

        def contracts():
            state = watched.desk.desk.state_of("chain/SPX", timeout_s=10.0)
            return state["course"]["search"]["contracts"]

        watched.until(lambda: len(contracts()) == 2, what="two qualified series")
        assert all(not one["strikes"] for one in contracts())
        assert {one["refused"][0][0] for one in contracts()} <= set(refused)
        assert watched.view() is None


def test_m11_expired_contracts_are_not_watched():
    before = lambda gateway: gateway.play("wrong-contract", kind="expired")  # noqa: E731
    with watching(before=before) as watched:

        def search():
            return watched.desk.desk.state_of("chain/SPX", timeout_s=10.0)["course"]["search"]

        watched.until(lambda: len(search()["contracts"]) == 2, what="two qualified series")
        assert all(not one["strikes"] for one in search()["contracts"])
        assert {one["refused"][0][0] for one in search()["contracts"]} == {"other_expiry"}


def test_m01_a_quote_that_stands_still_while_the_market_moves_is_frozen():
    with watching() as watched:
        conid = watched.settle().near_money()
        watched.gateway.play("frozen-feed", con_id=conid)
        number = watched.view().number
        watched.until(lambda: watched.view().number > number + 5, what="some views")
        watched.gateway.play("spike", con_id=SPX, factor=1.006, real=True)
        watched.sees(conid, Doubt.FROZEN)
        watched.gateway.end("frozen-feed")
        watched.until(lambda: watched.doubts().get(conid, 1) is not Doubt.FROZEN, what="a thaw")


def test_m11_with_the_number_of_another_contract_there_is_nothing_to_decide_on():
    before = lambda gateway: gateway.play("wrong-contract", kind="conid")  # noqa: E731
    with watching(before=before) as watched:
        watched.until(
            lambda: (
                Condition.FAILING in {one.state for one in watched.desk.said(ChainStateChanged)}
            ),
            what="a watcher that says it cannot find its chain",
        )
        assert watched.view() is None
