"""The chain watcher: finds, watches, judges, and says so; without threads or a broker."""

import datetime as dt

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.watched import DAY, World
from tests.actors.watching import SECOND, Watching
from thetawarden.actors.chain import Chain, ChainState
from thetawarden.actors.memory import encode_snapshot, rebuild
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.lines import LineManner, LinePriority
from thetawarden.domain.chains.condition import Condition
from thetawarden.domain.chains.doubts import CODES, Doubt
from thetawarden.domain.chains.settings import WatchSettings
from thetawarden.domain.link.states import LinkState
from thetawarden.messages.base import Envelope
from thetawarden.messages.chains import ChainViewed, InterestChanged
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.market import (
    DiscoverChain,
    DiscoveryFailed,
    ListedClass,
    QualifySeries,
    QuotesObserved,
    WantLines,
)
from thetawarden.messages.operations import NotifyPerson, Urgency
from thetawarden.messages.registry import decode, encode
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired
from thetawarden.ports import Delivery, Outcome

PACE = WatchSettings().pace
MINUTE = 60 * SECOND


@pytest.fixture(scope="module")
def worlds():
    return {"european": World("SPX"), "american": World("SPY")}


@pytest.fixture
def world(worlds):
    return worlds["european"]


@pytest.fixture
def watching(world):
    return Watching(world).begin().settle()


def failure(play, expiry=None):
    return DiscoveryFailed(
        underlying=play.world.symbol,
        trading_class="" if expiry is None else play.world.trading_class,
        expiry=expiry,
        words="No security definition has been found for the request",
    )


# finding


def test_a_watcher_asks_for_the_chain_then_for_few_series_at_a_time_nearest_first(world):
    play = Watching(world, answers=False).begin(up=False)

    assert play.all_of(DiscoverChain) == [DiscoverChain(underlying="SPX")]
    play.tell(play.discovered())
    asked = play.all_of(QualifySeries)
    play.tell(play.qualified(asked[0].expiry))

    expiries = [one.expiry for one in play.all_of(QualifySeries)]
    assert len(asked) == WatchSettings().asked_at_once_max
    assert expiries == sorted(play.options)[:4]
    assert {one.exchange for one in play.all_of(QualifySeries)} == {"SMART"}


def test_the_underlying_is_wanted_first_and_its_price_brings_the_options(world):
    play = Watching(world).begin()
    alone = play.wants
    play.quote()

    assert [want.instrument for want in alone] == [world.underlying]
    assert len(play.wants) > 100
    assert play.wants[0].instrument == world.underlying
    assert {want.instrument.trading_class for want in play.wants[1:]} == {"SPXW"}


def test_a_settled_watcher_has_forwards_smiles_and_usable_rows_and_says_it_watches(watching):
    view = watching.view

    assert watching.conditions == [Condition.SEARCHING, Condition.BLIND, Condition.WATCHING]
    assert view.summary.usable == view.summary.rows > 100
    assert all(one.forward_usd and one.atm_iv_annual for one in view.series)
    assert {want.manner for want in watching.wants} == set(LineManner)


def test_what_was_qualified_today_is_not_asked_again_and_tomorrow_everything_is(watching):
    before = len(watching.all_of(QualifySeries))
    watching.advance(20 * MINUTE)
    same_day = len(watching.all_of(QualifySeries))
    watching.now += 24 * 60 * MINUTE
    watching.tell(TimerFired(name="upkeep"))

    assert before == same_day == len(watching.world.series)
    assert len(watching.all_of(DiscoverChain)) == 2
    assert len(watching.all_of(QualifySeries)) >= 2 * before - 1


def test_a_question_without_an_answer_is_put_again_after_a_while_that_grows(world):
    play = Watching(world, answers=False).begin()
    asked_at = []
    for _ in range(4000):
        before = len(play.all_of(DiscoverChain))
        play.advance(SECOND)
        if len(play.all_of(DiscoverChain)) > before:
            asked_at.append(play.now)

    gaps = np.diff(asked_at)
    assert len(asked_at) > 5
    assert (np.diff(gaps) >= -2 * SECOND).all()
    assert gaps.max() <= PACE.retry_ns_max + PACE.answer_ns_max + 2 * SECOND


def test_a_person_is_told_once_when_finding_fails_for_long_and_once_when_it_is_over(world):
    play = Watching(world, answers=False).begin()
    for _ in range(60):
        play.tell(failure(play))
        play.advance(10 * SECOND)
    notices = play.all_of(NotifyPerson)
    failing = play.conditions[-1]
    play.answers = True
    play.advance(10 * MINUTE)
    play.quote()

    assert [one.urgency for one in notices] == [Urgency.NORMAL]
    assert "No security definition" in notices[0].text
    assert failing is Condition.FAILING
    assert [one.urgency for one in play.all_of(NotifyPerson)][1:] == [Urgency.LOW]
    assert play.view.summary.rows > 0


def test_a_link_that_comes_back_lets_what_failed_be_asked_at_once(world):
    play = Watching(world, answers=False).begin(up=False)
    play.tell(failure(play))

    said = play.link(LinkState.READY)

    assert DiscoverChain(underlying="SPX") in said


def test_one_series_that_fails_does_not_keep_the_others_from_being_watched(world):
    play = Watching(world, answers=False).begin()
    bad, *good = sorted(play.options)
    play.tell(play.discovered())
    play.tell(failure(play, bad))
    for expiry in good:
        play.tell(play.qualified(expiry))
    play.quote()

    assert {want.instrument.expiry for want in play.wants[1:]} == set(good)


def test_words_meant_for_another_underlying_change_nothing(watching):
    before = watching.state_bytes()
    other = QuotesObserved(
        epoch=1,
        underlying="XSP",
        quotes=watching.world.quotes(watching.board, [0], at_ns=watching.now, bid_usd=9.0),
    )

    assert watching.tell(other) == ()
    assert watching.state_bytes() == before


def test_an_answer_of_yesterday_is_a_failure_and_not_asked_again_at_once(world):
    play = Watching(world, answers=False).begin()
    play.tell(play.discovered())
    expiry = min(play.options)
    asked = len(play.all_of(QualifySeries))

    play.tell(play.qualified(expiry, day=DAY - dt.timedelta(days=1)))

    again = [one.expiry for one in play.all_of(QualifySeries)[asked:]]
    assert expiry not in again
    assert play.chain.state.course.search.contracts == ()


def test_a_series_that_has_traded_for_the_last_time_is_not_even_asked_for(world):
    play = Watching(world, answers=False)
    play.now += 6 * 60 * MINUTE  # seventeen o'clock: today's options and the morning's are over
    today, friday = DAY, DAY + dt.timedelta(days=1)
    listed = ListedClass(
        trading_class="SPXW", exchange="SMART", multiplier=100, expiries=(today,), strikes=()
    )
    morning = msgspec.structs.replace(listed, trading_class="SPX", expiries=(friday,))
    play.begin()

    play.tell(play.discovered(listed, morning))

    asked = {(one.trading_class, one.expiry) for one in play.all_of(QualifySeries)}
    assert asked == {("SPXW", expiry) for expiry in sorted(play.options)[:3]}


# the cadence


def test_after_quiet_the_first_tick_is_seen_at_once_and_then_one_view_a_cadence(watching):
    watching.advance(PACE.view_ns)
    seen = len(watching.all_of(ChainViewed))
    first = watching.quote([3], spot=False, extra_iv=0.01)
    after_first = len(watching.all_of(ChainViewed))
    for _ in range(100):
        watching.now += PACE.view_ns // 100
        watching.quote([3], spot=False)
    while_busy = len(watching.all_of(ChainViewed))
    watching.advance(PACE.view_ns)

    assert any(isinstance(one, ChainViewed) for one in first)
    assert after_first == seen + 1
    assert while_busy <= after_first + 1
    assert len(watching.all_of(ChainViewed)) > after_first


def test_without_a_tick_there_is_a_view_when_quotes_have_become_too_old_and_then_silence(watching):
    watching.said.clear()
    watching.advance(10 * MINUTE)
    numbers = [one.view.number for one in watching.all_of(ChainViewed)]

    assert watching.view.summary.usable == 0
    assert watching.conditions == [Condition.BLIND]
    assert 1 <= len(numbers) <= 8
    assert np.diff(numbers).tolist() == [1] * (len(numbers) - 1)


def test_m12_a_burst_costs_one_view_and_loses_nothing_of_what_was_said_last(watching):
    watching.advance(PACE.view_ns)
    watching.said.clear()
    for number in range(500):
        watching.now += 1000
        watching.quote([4], spot=False, extra_iv=0.0001 * (number % 10))
    watching.advance(PACE.view_ns)

    views = watching.all_of(ChainViewed)
    (last,) = watching.world.quotes(watching.board, [4], at_ns=watching.now, extra_iv=0.0009)
    assert len(views) <= 3
    assert watching.rows.bid_usd[4] == last.bid_usd
    assert len(watching.all_of(StartTimer)) < 10


@pytest.fixture(params=["european", "american"])
def either(request, worlds):
    return Watching(worlds[request.param]).begin().settle()


def views_since(play, at_ns):
    return [one.view for one in play.all_of(ChainViewed) if one.view.at_ns >= at_ns]


def in_three_seconds(play):
    """Everything is told, in no order, a bit every quarter of a second; then it goes on."""
    rows = np.random.default_rng(1).permutation(len(play.board.rows))
    for part in np.array_split(rows, 12):
        play.quote(part.tolist())
        play.advance(SECOND // 4)
    for _ in range(20):
        play.quote()
        play.advance(SECOND // 2)


def test_after_quiet_the_first_that_speak_do_not_cost_the_others_their_model(either):
    either.advance(10 * MINUTE)
    begun_ns = either.now
    either.quote([0, 1, 2])
    either.advance(SECOND // 2)
    in_three_seconds(either)

    views = views_since(either, begun_ns)
    assert views[0].fitted_ns < begun_ns
    assert all(one.forward_usd and one.atm_iv_annual for one in views[0].series)
    assert all(view.summary.usable == len(either.board.rows) for view in views[3:])


def test_after_a_cut_all_are_usable_a_view_after_all_were_told_again(either):
    either.link(LinkState.DOWN)
    either.advance(2 * MINUTE)
    either.link(LinkState.READY, epoch=2)
    either.quote([])  # the underlying comes first
    either.advance(SECOND // 2)
    begun_ns = either.now
    in_three_seconds(either)

    late = views_since(either, begun_ns + 3 * SECOND + PACE.view_ns)
    assert len(late) > 2
    for view in late:
        assert view.summary.usable == len(either.board.rows)
        assert all(one.forward_usd and one.atm_iv_annual for one in view.series)
        assert not any(one.unread for one in view.series)


def pairs_at_the_money(play):
    found = []
    for number, series in enumerate(play.board.series):
        strikes = series.strikes_usd()
        near = np.argsort(np.abs(strikes - play.world.spot_usd))[:3]
        rows = enumerate(play.board.rows)
        found += [at for at, row in rows if row.series == number and row.strike_at in near]
    return found


def test_smiles_are_there_a_view_after_their_quotes_though_forwards_were_before(worlds):
    for world in worlds.values():
        play = Watching(world).begin()
        play.quote()
        for _ in range(6):
            play.quote(pairs_at_the_money(play))
            play.advance(SECOND // 2)
        alone = play.view
        all_ns = play.now
        for _ in range(8):
            play.quote()
            play.advance(SECOND // 2)

        first = next(
            v for v in views_since(play, all_ns) if all(one.atm_iv_annual for one in v.series)
        )
        assert all(one.forward_usd for one in alone.series)
        assert {one.smile_gap for one in alone.series} == {"too_few_quotes"}
        assert first.at_ns - all_ns <= 2 * PACE.view_ns


def test_no_expiry_loses_its_model_while_its_pairs_stand_still_and_the_underlying_goes(either):
    begun_ns, spot_usd = either.now, either.world.spot_usd
    for number in range(100):
        strikes = [(row.series, row.strike_at) for row in either.board.rows]
        alone = [at for at, strike in enumerate(strikes) if strikes.count(strike) == 1]
        either.quote(alone, spot_usd=spot_usd * (1.0 + 0.00005 * number))
        either.advance(SECOND)

    views = views_since(either, begun_ns)
    assert views[-1].fitted_ns > begun_ns + 50 * SECOND
    assert dict(views[-1].summary.doubts)[Doubt.FROZEN] > 6
    assert {one.unread for one in views[-1].series} == {"too_few_pairs"}
    for view in views:
        assert all(one.forward_usd and one.atm_iv_annual for one in view.series)
        assert Doubt.NO_FORWARD not in dict(view.summary.doubts)


def test_an_option_somebody_comes_to_care_for_is_modelled_after_a_pause(either):
    series = either.board.series[-1]
    strikes = series.strikes_usd()
    watched = set(either.board.table.conid.tolist())
    deep = next(
        at
        for at in range(len(strikes))
        if strikes[at] > 1.02 * either.world.spot_usd and series.contracts.puts[at] not in watched
    )
    conid = series.contracts.puts[deep]
    option = next(one for one in either.options[series.key.expiry] if one.conid == conid)
    either.tell(
        InterestChanged(
            underlying=either.world.symbol,
            owner="keeper",
            priority=LinePriority.POSITION,
            instruments=(option,),
        )
    )
    for _ in range(2 + (PACE.fit_american_ns + PACE.view_ns) // SECOND):
        either.quote()
        either.advance(SECOND)

    at = either.rows.conid.tolist().index(conid)
    assert either.rows.smile_iv_annual[at] == pytest.approx(either.rows.iv_annual[at], abs=0.01)


def fits_within(watching, seconds, *, step=0.0):
    """When the model was fitted while quotes came twice a second, each a step further off."""
    fits, spot_usd = set(), watching.world.spot_usd
    for number in range(2 * seconds):
        watching.quote([5], spot_usd=spot_usd * (1.0 + step * number))
        watching.advance(SECOND // 2)
        fits.add(watching.board.fitted_ns)
    return sorted(fits)


def test_no_model_is_fitted_without_news(watching):
    watching.advance(MINUTE)
    fitted_ns = watching.board.fitted_ns
    watching.advance(10 * MINUTE)

    assert watching.board.fitted_ns == fitted_ns


def test_a_model_that_holds_is_fitted_anew_after_a_while_only(watching):
    pause_ns = PACE.fit_calm_pauses * PACE.fit_ns

    fits = fits_within(watching, 100)

    assert 100 * SECOND // pause_ns - 1 <= len(fits) - 1 <= 100 * SECOND // pause_ns


def test_a_model_whose_underlying_goes_away_is_fitted_as_often_as_may_be(watching):
    fits = fits_within(watching, 100, step=0.0002)  # a tenth of a percent in 2.5 s

    slack = PACE.view_ns + SECOND  # fits come with views
    assert 100 * SECOND // (PACE.fit_ns + slack) <= len(fits) - 1 <= 100 * SECOND // PACE.fit_ns


# the link


def test_n09_a_new_link_invalidates_every_quote_until_it_is_told_anew(watching):
    watching.link(LinkState.DOWN)
    down = watching.rows.doubt
    watching.now += SECOND
    watching.link(LinkState.READY, epoch=2)
    watching.now += 1
    watching.quote([0, 1])
    watching.advance(PACE.view_ns)

    assert (down == CODES[Doubt.LINK_DOWN]).all()
    assert np.flatnonzero(watching.rows.doubt == 0).tolist() == [0, 1]


@pytest.mark.parametrize("state", [LinkState.CUT_OFF, LinkState.COMPETING])
def test_n08_n11_quotes_are_stale_at_once_when_servers_or_a_rival_take_the_data(watching, state):
    before = watching.rows.doubt
    watching.link(state)
    taken = watching.rows.doubt
    watching.quote([0, 1])
    watching.advance(PACE.view_ns)

    assert (before == 0).sum() > 20
    assert (taken == CODES[Doubt.LINK_DOWN]).all()
    assert (watching.rows.doubt == CODES[Doubt.LINK_DOWN]).all()


def test_quotes_of_the_link_before_are_not_believed_however_late_they_come(watching):
    watching.link(LinkState.READY, epoch=2)
    old = watching.world.quotes(watching.board, [0], at_ns=watching.now)

    assert watching.observe(old, epoch=1) == ()


def test_a_watcher_that_was_never_told_of_the_link_believes_its_data(world):
    play = Watching(world).begin(up=False).settle()

    assert play.view.epoch == 1
    assert play.view.summary.usable == play.view.summary.rows > 0


# interest


def position(play, at=0):
    return play.options[min(play.options)][at]


def interest(play, *instruments, owner="keeper", priority=LinePriority.POSITION):
    return InterestChanged(
        underlying=play.world.symbol, owner=owner, priority=priority, instruments=instruments
    )


def want_of(play, instrument):
    found = [want for want in play.wants if want.instrument.conid == instrument.conid]
    return found[0] if found else None


def test_a_position_is_promoted_and_let_go_when_its_owner_cares_no_more(watching):
    held = position(watching)

    watching.tell(interest(watching, held))
    promoted = want_of(watching, held)
    watching.tell(interest(watching, held, owner="strategist", priority=LinePriority.ENTRY))
    still = want_of(watching, held)
    watching.tell(interest(watching))
    watching.tell(interest(watching, owner="strategist"))

    assert (promoted.priority, promoted.manner) == (LinePriority.POSITION, LineManner.STREAM)
    assert still.priority is LinePriority.POSITION
    assert want_of(watching, held) is None


def test_interest_that_is_said_again_asks_and_changes_nothing(watching):
    held = position(watching)
    watching.tell(interest(watching, held))

    assert watching.chain.receive(interest(watching, held), watching.now) == ()
    assert want_of(watching, held).priority is LinePriority.POSITION


def strikes(play):
    """Which strikes of which expiry are looked at, but for entries."""
    scanned = [want for want in play.wants if want.priority is LinePriority.SCAN]
    return {(want.instrument.expiry, want.instrument.strike) for want in scanned}


def test_caring_for_a_position_moves_no_window_until_strikes_are_chosen_again(watching):
    watching.advance(PACE.replan_ns)
    held, before = position(watching), strikes(watching)
    watching.quote(spot_usd=watching.world.spot_usd * 1.02)

    watching.tell(interest(watching, held))
    meanwhile = strikes(watching)
    watching.advance(PACE.replan_ns)

    assert meanwhile - before <= {(held.expiry, held.strike)}
    assert len(strikes(watching) - meanwhile) > 5


def test_a_question_that_a_position_brings_is_overdue_in_its_time_however_rare_the_upkeep(world):
    rare = msgspec.structs.replace(PACE, replan_ns=60 * MINUTE)
    settings = msgspec.structs.replace(WatchSettings(), pace=rare)
    watching = Watching(world, settings=settings).begin().settle()
    watching.answers = False
    expiry = DAY + dt.timedelta(days=14)
    watching.tell(interest(watching, msgspec.structs.replace(position(watching), expiry=expiry)))
    asked = len(watching.all_of(QualifySeries))

    watching.advance(PACE.answer_ns_max + 2 * PACE.retry_ns_min)

    assert len(watching.all_of(QualifySeries)) == asked + 1


def test_interest_that_changes_all_the_time_keeps_nobody_from_choosing_strikes(watching):
    before = strikes(watching)
    watching.quote(spot_usd=watching.world.spot_usd * 1.02)

    for at in range(6):
        watching.tell(interest(watching, position(watching, at)))
        watching.advance(PACE.replan_ns // 4)

    assert len(strikes(watching) - before) > 5


def test_a_position_in_an_expiry_outside_the_windows_has_its_series_qualified(watching):
    expiry = DAY + dt.timedelta(days=14)
    far = msgspec.structs.replace(position(watching), conid=77_000, expiry=expiry)
    watching.options[expiry] = watching.world.options(expiry, first_conid=77_000)

    watching.tell(interest(watching, far))

    assert watching.all_of(QualifySeries)[-1].expiry == expiry
    assert want_of(watching, far).priority is LinePriority.POSITION


def test_m10_what_is_not_standard_is_refused_and_a_person_told_of_a_position_in_it(watching):
    odd = msgspec.structs.replace(position(watching), conid=5, trading_class="2SPX")
    adjusted = ListedClass(
        trading_class="2SPX",
        exchange="SMART",
        multiplier=150,
        expiries=(DAY + dt.timedelta(days=1),),
        strikes=(),
    )

    watching.tell(watching.discovered(adjusted))
    watching.tell(interest(watching, odd))

    refused = dict(watching.chain.state.course.search.refused)
    assert refused == {"2SPX": "adjusted_class"}
    assert want_of(watching, odd) is None
    assert watching.all_of(NotifyPerson)[-1].urgency is Urgency.HIGH
    assert "adjusted_class" in watching.all_of(NotifyPerson)[-1].text


def test_m10_m11_contracts_that_are_not_what_was_asked_for_are_not_watched(world):
    play = Watching(world, answers=False).begin()
    play.tell(play.discovered())
    first, second, *_ = sorted(play.options)
    odd = [msgspec.structs.replace(one, multiplier=150) for one in play.options[first]]
    past = [
        msgspec.structs.replace(one, expiry=dt.date(2001, 1, 19)) for one in play.options[second]
    ]
    play.tell(play.qualified(first, odd))
    play.tell(play.qualified(second, past))
    play.quote()

    contracts = play.chain.state.course.search.contracts
    assert [one.refused[0][0] for one in contracts] == ["multiplier", "other_expiry"]
    assert len(play.wants) == 1


# memory


def test_a_stopping_watcher_says_so_and_takes_on_nothing_new(watching):
    said = watching.tell(Quiesce())

    assert {one.name for one in said if isinstance(one, CancelTimer)} == {"view", "upkeep"}
    assert watching.conditions[-1] is Condition.STOPPED
    assert watching.quote() == ()
    assert watching.link(LinkState.DOWN) == ()


def test_a_watcher_that_comes_back_says_its_wishes_again_and_goes_on_watching(watching):
    woken = Chain(underlying="SPX")
    woken.state = msgspec.msgpack.decode(watching.state_bytes(), type=ChainState)
    watching.chain = woken
    watching.said.clear()

    watching.tell(Begin(incarnation=2, resumed=True))

    (wishes,) = watching.all_of(WantLines)
    assert wishes.owner == "chain/SPX"
    assert len(wishes.wants) == 1 + len(watching.board.rows) > 100
    assert watching.all_of(DiscoverChain) == []
    watching.quote()
    watching.advance(PACE.view_ns)
    assert watching.view.summary.usable == len(watching.board.rows)


def test_every_view_can_be_written_and_read(watching):
    viewed = watching.all_of(ChainViewed)[-1]

    assert decode(encode(viewed)) == viewed
    assert len(encode(viewed)) < 120 * viewed.view.summary.rows + 5000


scripts = st.lists(
    st.one_of(
        st.tuples(st.just("quote"), st.lists(st.integers(0, 150), max_size=5), st.floats(0, 0.02)),
        st.tuples(st.just("spot"), st.floats(-0.01, 0.01)),
        st.tuples(st.just("wait"), st.integers(1, 20)),
        st.tuples(st.just("link"), st.sampled_from(LinkState)),
        st.tuples(st.just("interest"), st.integers(0, 300)),
    ),
    max_size=15,
)


def follow(play, script):
    for act, *details in script:
        if act == "quote":
            rows = [row for row in details[0] if row < len(play.board.rows)]
            play.quote(list(dict.fromkeys(rows)), extra_iv=details[1])
        elif act == "spot":
            play.observe([play.world.spot_quote(play.world.spot_usd * (1 + details[0]))])
        elif act == "wait":
            play.advance(details[0] * SECOND)
        elif act == "link":
            play.link(details[0])
        else:
            play.tell(interest(play, position(play, details[0])))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=scripts, cut=st.floats(0, 1))
@pytest.mark.parametrize("style", ["european", "american"])
def test_the_same_messages_give_the_same_answers_and_state_wherever_a_snapshot_was_taken(
    worlds, style, script, cut
):
    play = Watching(worlds[style]).begin().settle()
    follow(play, script)
    at = round(cut * len(play.steps))

    early = play.new_chain()
    for message, now, answers in play.steps[:at]:
        assert early.receive(message, now) == answers
    snapshot = encode_snapshot(early, {})
    later = [
        Delivery(Envelope(seq, now, "x", 1, None, message), "chain/SPX", 1, now, Outcome.HANDLED)
        for seq, (message, now, _) in enumerate(play.steps[at:])
    ]
    rebuilt, _ = rebuild(play.new_chain, snapshot, later)

    assert play.state_bytes(rebuilt) == play.state_bytes()


def test_an_instrument_other_than_an_option_is_no_reason_to_fall_over(watching):
    share = Instrument(conid=3, kind=InstrumentKind.STOCK, symbol="SPX")

    watching.tell(interest(watching, share))

    assert want_of(watching, share) is None
