"""What `risk` and `stress` show of the governor, as it comes over the control socket."""

import json
import re
from types import SimpleNamespace

import msgspec
import pytest

from tests.actors.governed import Governed, only, option
from thetawarden.cli import run_command_line
from thetawarden.cli.place import Place
from thetawarden.cli.risk import UNSEEN, lines_of, view_of
from thetawarden.cli.stress import SHADES, heat_map, picture
from thetawarden.infra.control.stress_view import stress_view
from thetawarden.messages.control import GridView, StressView
from thetawarden.messages.risk import BeCautious, StressTaken, TakeStress


def state_of(desk):
    """As the desk shows it: plain data, unknown numbers lost on the way."""
    return json.loads(msgspec.json.encode(msgspec.to_builtins(desk.state, enc_hook=repr)))


def test_before_the_first_look_nothing_is_known():
    assert view_of(None, candidates=5).why == (UNSEEN,)
    assert view_of(state_of(Governed(begin=False)), candidates=5).limits == ()


def test_every_limit_is_shown_with_its_use_and_part():
    desk = Governed()
    desk.hold(desk.approve(units=2, margin=20_000.0))
    desk.wait(61).account()
    desk.refresh()

    view = view_of(state_of(desk), candidates=5)

    limits = {(one.rule, one.name): one for one in view.limits}
    assert limits["R3", "utilisation"].limit == 0.6
    assert limits["R3", "utilisation"].percent == pytest.approx(100 / 6, abs=0.01)
    assert limits["R10", "positions"].held == 1.0
    assert {rule for rule, _ in limits} == {"R2", "R3", "R4", "R6", "R10"}
    assert {one.name for one in view.brakes} == {
        "day_loss",
        "week_loss",
        "month_loss",
        "drawdown",
        "margin",
    }


def test_the_last_candidates_are_shown_with_every_finding_the_latest_first():
    desk = Governed(instruments=(option(), option(strike=530)))
    desk.approve()
    desk.wait(1).propose(key="P2")

    view = view_of(state_of(desk), candidates=5)

    assert [(one.key, one.units) for one in view.candidates] == [("P2", 0), ("P1", 1)]
    assert "R10" in view.candidates[0].binding
    assert {one.rule for one in view.candidates[1].findings} >= {f"R{n}" for n in range(1, 17)}
    assert [one.approval for one in view.reserved] == ["A1"]
    assert view_of(state_of(desk), candidates=1).candidates == view.candidates[:1]
    assert view_of(state_of(desk), candidates=0).candidates == ()


def test_why_entries_stop_and_what_is_demanded_comes_first():
    desk = Governed()
    desk.tell(BeCautious(reason="odd quotes", by="me"))
    desk.wait(1).account(nlv=988_000)
    desk.wait(61).refresh()

    lines = lines_of(view_of(state_of(desk), candidates=0))

    assert lines[0].startswith("trading cautious")
    assert "because: me: odd quotes" in lines
    assert any(line.startswith("demanded: tell: day loss") for line in lines)


GRID = GridView(
    index_returns=(-0.2, 0.0),
    vix_points=(0.0, 10.0, 20.0),
    profit_usd=((-200_000.0, -300_000.0, -100_000.0), (0.0, -2_000.0, 500.0)),
)


def test_the_heat_map_is_darkest_where_most_is_lost_and_marks_gains():
    head, crash, flat = heat_map(GRID, nlv_usd=1_000_000.0)

    assert "VIX +0 ... +20" in head
    assert crash.endswith("████▒▒")
    assert flat[9:] == "  " + SHADES[1] * 2 + "++"


def test_the_picture_says_each_cell_in_words():
    drawn = picture(GRID, nlv_usd=1_000_000.0)

    titles = re.findall("<title>(.*?)</title>", drawn)
    assert drawn.count("<rect") == 6
    assert "index -20.0 %, VIX +10.0: -300,000 USD" in titles
    assert len(titles) == 7


def test_a_stress_that_knows_nothing_says_so_and_survives_json():
    desk = Governed()
    desk.hold(desk.approve())
    desk.state.vix = None

    (taken,) = only(desk.tell(TakeStress(run="r")), StressTaken)
    view = stress_view(taken)

    assert view.verdict == "unknown"
    assert view.grid is None
    assert "vix" in view.unknown
    again = msgspec.json.decode(msgspec.json.encode(view), type=type(view))
    assert again == view
    assert view.scenarios[0].loss_usd is None


def test_a_picture_that_cannot_be_written_is_one_line(monkeypatch, capsys):
    shown = StressView(
        run="r",
        at="now",
        nlv_usd=1e6,
        verdict="within",
        unknown=(),
        scenarios=(),
        positions=(),
        grid=GRID,
    )
    monkeypatch.setattr(Place, "desk", lambda _: SimpleNamespace(stress=lambda: shown))

    assert run_command_line(["stress", "--svg", "/nonexistent/map.svg"]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_running_desk_shows_its_risk_takes_its_stress_and_heeds_a_caution(desk):
    risk = json.loads(desk("risk", "--json").out)
    assert set(risk) >= {"trading_state", "limits", "brakes", "candidates", "demands", "reserved"}
    stressed = json.loads(desk("stress", "--json").out)
    assert stressed["positions"] == []

    assert desk("halt", "--cautious", "--reason", "odd quotes").code == 0
    assert json.loads(desk("status", "--json").out)["trading_state"] == "cautious"
    assert desk("resume", "--cautious", "--reason", "they are fine").code == 0
    assert json.loads(desk("status", "--json").out)["trading_state"] == "running"
    assert desk("risk").out.startswith("trading ")
    assert "Scenarios" in desk("stress").out
    both = desk("halt", "--cautious", "--exits-too", "--reason", "r")
    assert both.code == 2
    assert "exclude each other" in both.err


def test_real_money_is_asked_for_twice(shell, tmp_path):
    config = tmp_path / "live.yaml"
    config.write_text(
        'mode: live\nbroker:\n  account: "U1234567"\n  port: 4001\n  i_mean_live: true\n'
    )

    missing = shell("--config", str(config), "run", "--for", "1s")
    other = shell("--config", str(config), "run", "--account", "U7654321", "--for", "1s")
    paper = shell("run", "--account", "U1234567", "--for", "1s")

    assert (missing.code, other.code, paper.code) == (3, 3, 2)
    assert "found no --account" in missing.err
    assert "found another account" in other.err
    assert "it is for mode live alone" in paper.err
