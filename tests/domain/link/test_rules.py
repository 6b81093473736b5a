"""Waits, nights, notices and whom we trade through."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.instants import NS_PER_MINUTE, NS_PER_SECOND, UnixNs, new_york_ns
from thetawarden.domain.link.admission import Terms, judge_gateway, masked
from thetawarden.domain.link.backoff import Backoff, wait_ns
from thetawarden.domain.link.gates import (
    Gates,
    closed_services,
    objections,
    with_farm,
    with_refusal,
    without_old_refusals,
)
from thetawarden.domain.link.machine import LinkEvent
from thetawarden.domain.link.night import NightPhase, NightWindow, look_at
from thetawarden.domain.link.notices import (
    FarmNews,
    PaceNews,
    ServersNews,
    Service,
    read_notice,
)
from thetawarden.domain.link.states import LinkTrouble

BACKOFF = Backoff(min_ns=NS_PER_SECOND, max_ns=60 * NS_PER_SECOND, jitter_fraction=0.2)
WINDOW = NightWindow(
    begins=dt.time(23, 45),
    ends=dt.time(0, 45),
    quiet_before_ns=60 * NS_PER_SECOND,
    patience_after_ns=10 * NS_PER_MINUTE,
)
DAY = dt.date(2026, 3, 3)


@given(attempt=st.integers(0, 10**6), epoch=st.integers(0, 10**6))
def test_n01_a_wait_doubles_up_to_its_bound_and_is_drawn_out_by_no_more_than_the_jitter(
    attempt, epoch
):
    base = min(NS_PER_SECOND * 2 ** min(attempt, 40), 60 * NS_PER_SECOND)

    assert base <= wait_ns(BACKOFF, attempt=attempt, epoch=epoch) <= base * 1.2


def test_waits_differ_between_epochs_and_are_the_same_for_the_same_one():
    waits = [wait_ns(BACKOFF, attempt=3, epoch=epoch) for epoch in range(20)]

    assert len(set(waits)) == 20
    assert waits == [wait_ns(BACKOFF, attempt=3, epoch=epoch) for epoch in range(20)]


@pytest.mark.parametrize(
    ("at", "phase"),
    [
        (dt.time(12), NightPhase.DAY),
        (dt.time(23, 43, 59), NightPhase.DAY),
        (dt.time(23, 44), NightPhase.CLOSING),
        (dt.time(23, 45), NightPhase.NIGHT),
        (dt.time(0, 44, 59), NightPhase.NIGHT),
        (dt.time(0, 45), NightPhase.OVERDUE_SOON),
        (dt.time(0, 55), NightPhase.DAY),
    ],
)
def test_n07_the_night_has_an_eve_and_a_patient_morning(at, phase):
    assert look_at(new_york_ns(DAY, at), WINDOW).phase is phase


@given(st.integers(new_york_ns(dt.date(2026, 1, 1), dt.time()), 1_830_000_000 * NS_PER_SECOND))
def test_every_instant_lies_in_a_phase_that_ends_within_a_day_and_then_another_begins(now):
    night = look_at(UnixNs(now), WINDOW)

    assert 0 < night.until_ns - now <= 25 * 60 * NS_PER_MINUTE
    assert look_at(night.until_ns, WINDOW).phase is not night.phase


def test_n07_risk_waits_from_before_the_restart_until_it_is_over():
    waits = [phase for phase in NightPhase if _phase(phase).entries_wait]

    assert waits == [NightPhase.CLOSING, NightPhase.NIGHT]
    assert not _phase(NightPhase.DAY).excuses_loss


def _phase(phase):
    clock = {
        NightPhase.DAY: dt.time(12),
        NightPhase.CLOSING: dt.time(23, 44, 30),
        NightPhase.NIGHT: dt.time(23, 50),
        NightPhase.OVERDUE_SOON: dt.time(0, 50),
    }
    return look_at(new_york_ns(DAY, clock[phase]), WINDOW)


@pytest.mark.parametrize(
    ("code", "words", "meaning"),
    [
        (1100, "lost", LinkEvent.CUT),
        (1101, "restored - data lost.", LinkEvent.EMPTIED),
        (1102, "restored - data maintained.", LinkEvent.RESTORED),
        (10197, "No market data during competing live session", LinkEvent.COMPETED),
        (2110, "broken", ServersNews()),
        (100, "Max rate", PaceNews()),
        (
            2103,
            "Market data farm connection is broken:usopt",
            FarmNews("usopt", Service.OPTIONS, works=False),
        ),
        (
            2104,
            "Market data farm connection is OK:usfarm.nj",
            FarmNews("usfarm.nj", Service.STOCKS, works=True),
        ),
        (
            2108,
            "Market data farm connection is inactive but should be available upon demand.usfuture",
            FarmNews("usfuture", Service.FUTURES, works=True),
        ),
        (
            2119,
            "Market data farm is connecting:usfarm",
            FarmNews("usfarm", Service.STOCKS, works=False),
        ),
        (
            2105,
            "HMDS data farm connection is broken:ushmds",
            FarmNews("ushmds", Service.HISTORY, works=False),
        ),
        (
            2157,
            "Sec-def data farm connection is broken:secdefil",
            FarmNews("secdefil", Service.DEFINITIONS, works=False),
        ),
        (
            2103,
            "Market data farm connection is broken:eufarm",
            FarmNews("eufarm", Service.ELSEWHERE, works=False),
        ),
        (2169, "something else", None),
    ],
)
def test_a_notice_is_read_for_what_it_means(code, words, meaning):
    assert read_notice(code, words) == meaning


def test_n15_a_farm_we_need_closes_the_gate_until_it_works_and_one_we_do_not_need_does_not():
    options = FarmNews("usopt", Service.OPTIONS, works=False)
    history = FarmNews("ushmds", Service.HISTORY, works=False)

    both = with_farm(with_farm(Gates(), options), history)
    healed = with_farm(both, FarmNews("usopt", Service.OPTIONS, works=True))

    assert objections(both) == ("farm usopt (options) does not work",)
    assert closed_services(both) == (Service.OPTIONS, Service.HISTORY)
    assert objections(healed) == ()
    assert closed_services(healed) == (Service.HISTORY,)


def test_without_its_servers_a_gateway_serves_nothing_and_a_working_farm_means_they_are_back():
    lost = Gates(servers_lost=True)
    back = with_farm(lost, FarmNews("usfarm", Service.STOCKS, works=True))

    assert set(closed_services(lost)) == set(Service)
    assert objections(lost)
    assert objections(back) == ()


def test_one_refusal_for_pace_is_forgiven_a_second_one_soon_is_not():
    once = with_refusal(Gates(), UnixNs(0), within_ns=60)
    soon = with_refusal(once, UnixNs(59), within_ns=60)
    late = with_refusal(once, UnixNs(60), within_ns=60)

    assert objections(once) == ()
    assert objections(soon) != ()
    assert objections(late) == ()
    assert objections(without_old_refusals(soon, UnixNs(119), within_ns=60)) == ()


PAPER, LIVE = (
    Terms(real_money=False),
    Terms(real_money=True, account="U7654321", i_mean_live=True),
)


@pytest.mark.parametrize(
    ("terms", "accounts", "fault"),
    [
        (PAPER, ("DU1234567",), None),
        (PAPER, ("DF1234567",), None),
        (PAPER, ("U7654321",), LinkTrouble.WRONG_ACCOUNT),
        (PAPER, ("DU1234567", "U7654321"), LinkTrouble.WRONG_ACCOUNT),
        (PAPER, (), LinkTrouble.WRONG_ACCOUNT),
        (PAPER, ("DU1", "DU2"), LinkTrouble.WRONG_ACCOUNT),
        (Terms(real_money=False, account="DU2"), ("DU1", "DU2"), None),
        (Terms(real_money=False, account="DU3"), ("DU1", "DU2"), LinkTrouble.WRONG_ACCOUNT),
        (LIVE, ("U7654321",), None),
        (LIVE, ("U1111111", "U7654321"), None),
        (LIVE, ("U1111111",), LinkTrouble.WRONG_ACCOUNT),
        (LIVE, ("DU1234567",), LinkTrouble.WRONG_ACCOUNT),
        (Terms(real_money=True, account="U7654321"), ("U7654321",), LinkTrouble.WRONG_ACCOUNT),
        (Terms(real_money=True, i_mean_live=True), ("U7654321",), LinkTrouble.WRONG_ACCOUNT),
        (
            Terms(real_money=True, account="DU1", i_mean_live=True),
            ("DU1",),
            LinkTrouble.WRONG_ACCOUNT,
        ),
    ],
)
def test_c05_paper_takes_paper_only_and_real_money_only_the_account_that_was_meant(
    terms, accounts, fault
):
    refusal = judge_gateway(terms=terms, server_version=178, accounts=accounts)

    assert (None if refusal is None else refusal.trouble) == fault


@pytest.mark.parametrize(
    ("version", "fits"), [(175, False), (176, True), (177, True), (178, True), (203, False)]
)
def test_n14_only_versions_the_tests_run_against_are_traded_through(version, fits):
    refusal = judge_gateway(terms=PAPER, server_version=version, accounts=("DU1234567",))

    assert (refusal is None) is fits


def test_an_account_is_shown_by_its_prefix_and_its_end_only():
    assert masked("DU1234567") == "DU…67"
    assert "1234" not in str(judge_gateway(terms=LIVE, server_version=178, accounts=("U1234567",)))
