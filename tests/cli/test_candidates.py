"""What the verbs say of candidates and line-ups, of the strategist's state as it is shown."""

import json

import msgspec

from tests.actors.test_lineup import approved, desk_at
from tests.actors.test_strategist import Desk
from tests.cli.shell import one_line_error
from tests.domain.strategy.scenes import view_of
from thetawarden.cli.candidates import gaps_of, views_of, words_of
from thetawarden.domain.halt import HaltRecord
from thetawarden.domain.strategy.level import Level
from thetawarden.messages.trading import TradingHalted

KEYS = {
    *("underlying", "strategy", "legs", "credit_usd", "margin_usd", "delta", "dte"),
    *("score", "scores", "verdict", "findings"),
}


def shown(desk):
    """The state as `inspect` brings it over the socket."""
    return json.loads(msgspec.json.encode(desk.state))


def test_candidates_have_the_keys_that_scripts_rely_on_and_reasons_of_the_strategy():
    desk = Desk(level=Level.SUGGEST)
    desk.see()

    views = [msgspec.to_builtins(one) for one in views_of(shown(desk))]

    assert views
    for one in views:
        assert set(one) >= KEYS
        assert one["verdict"] in {"passes", "fails"}
        assert set(one["findings"][0]) == {"rule", "verdict", "used", "limit", "words"}
        assert one["margin_usd"] is None


def test_once_the_governor_was_asked_its_verdict_and_findings_are_shown():
    desk = Desk()
    proposal = desk.propose()
    desk.refuse(proposal)

    (one,) = (v for v in views_of(shown(desk)) if v.strategy == proposal.strategy)

    assert one.verdict == "refused"
    assert any(finding.rule == "R3" for finding in one.findings)


def test_one_underlying_is_picked_and_an_unknown_one_says_so():
    desk = Desk()
    desk.see()
    state = shown(desk)

    assert {one.underlying for one in views_of(state, "spx")} == {"SPX"}
    assert views_of(state, "ABC") == []
    assert "ABC" in words_of(state, "ABC")


def test_why_nothing_is_entered_or_offered_is_said():
    desk = Desk()
    desk.tell(TradingHalted(halt=HaltRecord(epoch=1, reason="r", by="b", at_ns=1)))
    desk.see()
    halted = words_of(shown(desk))
    desk.see(msgspec.structs.replace(view_of(), spot_doubt="stale"))

    assert "nothing is entered: trading is halted" in halted
    assert gaps_of(shown(desk)) == ["SPX: the price of SPX is stale"]
    assert words_of(None).startswith("the strategist does not answer")


def test_a_desk_answers_and_refuses_in_one_line(desk):
    listed = desk("candidates", "--json")
    built = desk("lineup", "build")
    approved_none = desk("lineup", "approve", "L9")
    lineups = desk("lineup", "show", "--json")

    assert listed.code == 0
    assert isinstance(listed.json, list)
    assert "no link" in one_line_error(built, 3)
    assert "no line-up L9" in one_line_error(approved_none, 3)
    assert lineups.json == []


def test_a_lineup_is_shown_with_the_fate_of_each_entry():
    desk = desk_at()
    approved(desk)

    (lineup,) = shown(desk)["lineups"].values()

    assert lineup["state"] == "approved"
    assert {"state", "words", "margin_usd", "units"} <= set(lineup["items"][0])
