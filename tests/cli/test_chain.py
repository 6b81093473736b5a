"""What `chain` shows of a watcher's state, as it comes over the control socket."""

import datetime as dt

import msgspec
import pytest

from tests.actors.watching import Watching
from thetawarden.actors.chain import Chain
from thetawarden.cli.chain import (
    NoSuchExpiryError,
    _expiry_cells,
    _only,
    around_the_money,
    shown_of,
    words_of,
)
from thetawarden.domain.instants import NS_PER_SECOND, iso


def over_the_wire(chain):
    builtins = msgspec.to_builtins(chain.state, enc_hook=repr)
    return msgspec.json.decode(msgspec.json.encode(builtins))


@pytest.fixture(scope="module")
def watching():
    return Watching().begin().settle()


@pytest.fixture
def shown(watching):
    return shown_of(over_the_wire(watching.chain), "SPX")


def test_before_anything_was_seen_there_is_a_state_and_nothing_else():
    shown = shown_of(over_the_wire(Chain(underlying="SPX")), "SPX")

    assert words_of(shown) == "SPX: starting; nothing was seen yet"
    assert (shown.expiries, shown.options, shown.spot_usd) == ((), (), None)


def test_a_chain_is_shown_with_forwards_smiles_and_own_greeks_beside_the_brokers(shown, watching):
    view = watching.view

    assert (shown.state, shown.rows, shown.usable) == ("watching", *[view.summary.rows] * 2)
    assert [one.expiry for one in shown.expiries] == [str(one.expiry) for one in view.series]
    assert all(one.forward_usd and one.atm_iv_annual and not one.gap for one in shown.expiries)
    put = next(row for row in shown.options if row.right == "P")
    assert put.delta_per_share < 0 < put.iv_annual
    assert put.broker_delta is None
    assert 0 < put.liquidity <= 1
    assert put.doubt == ""
    assert "usable, widest" in words_of(shown)


def test_a_doubt_is_named_and_counted(watching):
    watching.quote([0], bid_usd=None)
    watching.advance(watching.chain._settings.pace.view_ns)

    shown = shown_of(over_the_wire(watching.chain), "SPX")

    assert shown.options[0].doubt == "one_sided"
    assert shown.options[0].liquidity == 0
    assert shown.doubts == {"one_sided": 1}
    assert "1 one sided" in words_of(shown)


def test_an_expiry_that_cannot_be_read_any_more_says_since_when_and_why():
    watching = Watching().begin().settle()
    first = watching.board.series[0]
    read_at = iso(watching.view.series[0].read_ns)
    rows = [at for at, row in enumerate(watching.board.rows) if row.series == 0]
    for _ in range(60):
        watching.quote(range(len(rows), len(watching.board.rows)))
        watching.quote(rows, bid_size=0.0)
        watching.advance(NS_PER_SECOND)

    shown = shown_of(over_the_wire(watching.chain), "SPX")

    lost, other = shown.expiries[:2]
    assert (lost.expiry, lost.gap, lost.unread) == (str(first.key.expiry), "", "too_few_pairs")
    assert (lost.read_at, other.unread) == (read_at, "")
    assert None not in {lost.forward_usd, lost.atm_iv_annual}
    assert not lost.usable
    assert other.read_at > read_at
    words = _expiry_cells(shown)[0][-1]
    assert words == f"as read {read_at[11:19]}: too few pairs since"


def test_as_many_strikes_as_asked_for_are_shown_on_each_side_of_the_forward(shown):
    expiry = shown.expiries[0]

    rows = around_the_money(shown, expiry, 3)

    strikes = sorted({row.strike_usd for row in rows})
    assert sum(strike < expiry.forward_usd for strike in strikes) == 3
    assert len(strikes) == 6
    assert around_the_money(shown, expiry, 0) == ()


def test_one_expiry_alone_can_be_shown_and_one_that_is_not_there_is_refused_naming_the_others(
    shown,
):
    first = shown.expiries[0].expiry
    alone = _only(shown, dt.date.fromisoformat(first))

    assert [one.expiry for one in alone.expiries] == [first]
    assert {row.expiry for row in alone.options} == {first}
    with pytest.raises(NoSuchExpiryError, match=first):
        _only(shown, dt.date(2030, 1, 1))


def test_the_shown_chain_is_one_json_document_without_a_number_that_is_none(shown):
    text = msgspec.json.encode(shown)

    assert b"NaN" not in text
    assert len(msgspec.json.decode(text)["options"]) == shown.rows
