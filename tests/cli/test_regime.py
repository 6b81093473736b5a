"""What `regime` shows of the regime actor's state, as it comes over the control socket."""

import msgspec

from tests.actors.test_regime import NOON, regime, taken
from thetawarden.cli.regime import view_of, words_of


def state_after(*contexts):
    actor = regime()
    for context in contexts:
        actor.receive(context, NOON)
    return msgspec.to_builtins(actor.state, enc_hook=repr)


def test_before_the_first_look_nothing_is_allowed():
    view = view_of(state_after())

    assert view.entries == "none"
    assert words_of(view) == "the market has not been looked at yet: no entries"
    assert view_of(None) == view


def test_each_rule_is_shown_with_what_it_costs():
    view = view_of(state_after(taken(NOON, vix=22.0)))

    (vix,) = [each for each in view.factors if each.rule == "vix"]
    assert (vix.state, vix.size_fraction) == ("elevated", 0.75)
    assert view.size_fraction == 0.75
    assert "sizes x 0.75" in words_of(view)


def test_what_could_not_be_used_is_named():
    view = view_of(state_after(taken(NOON, vix=None)))

    faults = {each.rule: each.faults for each in view.factors}
    assert "vix missing" in faults["vix"]
    assert view.entries == "none"


def test_an_order_to_close_comes_first():
    view = view_of(state_after(taken(NOON, vix=48.0, vix3m=38.0)))

    assert words_of(view).startswith("CLOSE ALL NAKED POSITIONS; ")
