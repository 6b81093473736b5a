"""A scenario is what its name says; a user's file is obeyed, or refused in one line."""

import datetime as dt

import numpy as np
import pytest

from thetawarden.domain.instants import new_york_ns
from thetawarden.practice.market import SCENARIOS, BadPathFileError, ScenarioName
from thetawarden.practice.model import BarRequest

SPX, VIX = 416904, 13455763
CLOSE_OF_QUARTER = new_york_ns(dt.date(2026, 11, 2), dt.time(16))
CLOSE_OF_HALF_YEAR = new_york_ns(dt.date(2027, 3, 12), dt.time(16))
GOOD = "date,close,vix\n2026-09-14,6400,17.5\n2026-09-15,6310,21\n2026-09-16,6350.5,19.25\n"


def closes(market, con_id, first=dt.date(2026, 9, 14)):
    bars = market.bars(
        BarRequest(
            con_id=con_id,
            bar_s=86_400,
            start_ns=new_york_ns(first, dt.time(0)),
            end_ns=market.now_ns,
            what="TRADES",
            regular_hours_only=True,
        )
    )
    return np.array([bar.close for bar in bars])


@pytest.fixture(scope="module")
def lived(new_market):
    """Closes of half a year of the index and seven weeks of VIX, by scenario."""
    found = {}
    for name in ScenarioName:
        market = new_market(scenario=name)
        market.advance(CLOSE_OF_QUARTER)
        vix = closes(market, VIX)
        market.advance(CLOSE_OF_HALF_YEAR)
        found[name] = (closes(market, SPX), vix)
    return found


def test_every_scenario_is_listed_with_a_line_about_it():
    assert set(SCENARIOS) == set(ScenarioName)
    assert all(one.says for one in SCENARIOS.values())


def test_calm_is_calm_and_choppy_is_not(lived):
    calm_spx, calm_vix = lived[ScenarioName.CALM]
    choppy_spx, choppy_vix = lived[ScenarioName.CHOPPY]

    assert np.mean(calm_vix) < 15.0
    assert 17.0 < np.mean(choppy_vix) < 30.0
    assert np.std(np.diff(np.log(choppy_spx))) > 1.5 * np.std(np.diff(np.log(calm_spx)))


def test_a_crash_falls_a_third_in_five_weeks_with_vix_above_eighty(lived):
    spx, vix = lived[ScenarioName.CRASH_2020_LIKE]

    assert np.log(spx[:30] / 6400.0).min() == pytest.approx(-0.414, abs=0.02)
    assert vix[:30].max() > 78.0
    assert spx[65] > 1.2 * spx[:30].min()


def test_a_volatility_spike_is_over_in_weeks(lived):
    _, vix = lived[ScenarioName.VOL_SPIKE_2018_LIKE]

    assert vix[:5].max() < 18.0
    assert vix[5:9].max() > 34.0
    assert vix[20] < 20.0


def test_a_selloff_is_a_correction_and_not_a_crash(lived):
    spx, vix = lived[ScenarioName.SELLOFF]

    assert -0.20 < spx[:35].min() / 6400.0 - 1.0 < -0.10
    assert 32.0 < vix[:35].max() < 45.0


def test_melt_up_rises_and_grind_down_falls(lived):
    assert lived[ScenarioName.MELT_UP][0][-1] > 1.05 * 6400.0
    assert lived[ScenarioName.GRIND_DOWN][0][-1] < 0.97 * 6400.0


def test_a_users_path_is_obeyed_to_the_cent_and_the_vix_to_a_tenth(make_market, tmp_path):
    file = tmp_path / "path.csv"
    file.write_text(GOOD)
    market = make_market(path=str(file))

    market.advance(new_york_ns(dt.date(2026, 9, 16), dt.time(16)))

    np.testing.assert_allclose(closes(market, SPX), [6400.0, 6310.0, 6350.5], rtol=1e-6)
    np.testing.assert_allclose(closes(market, VIX), [17.5, 21.0, 19.25], atol=0.1)


def test_a_path_of_real_history_can_be_lived_through(make_market, shared_data, tmp_path):
    rows = (shared_data / "vol_indices/VIX_History__cboe.csv").read_text().splitlines()[1:]
    vix = {
        dt.datetime.strptime(day, "%m/%d/%Y").date(): close  # noqa: DTZ007 - dates only
        for day, *_, close in (row.split(",") for row in rows)
    }
    lines = (shared_data / "equity_indices/SPX_1927_2026__hjyssg.csv").read_text().splitlines()[3:]
    spx = {dt.date.fromisoformat(row.split(",")[0]): row.split(",")[2] for row in lines}
    days = [day for day in spx if dt.date(2008, 9, 2) <= day <= dt.date(2008, 12, 1)]
    file = tmp_path / "2008.csv"
    file.write_text("date,close,vix\n" + "".join(f"{d},{spx[d]},{vix[d]}\n" for d in days))
    market = make_market(path=str(file), start_ns=new_york_ns(days[0], dt.time(10)))

    market.advance(new_york_ns(days[-1], dt.time(16)))

    ours = closes(market, VIX, days[0])
    theirs = np.array([float(vix[day]) for day in days])
    assert closes(market, SPX, days[0])[-1] == pytest.approx(float(spx[days[-1]]), rel=1e-6)
    assert np.max(np.abs(ours / theirs - 1.0)) < 0.02


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 1, "columns none found"),
        ("day,price\n", 1, "columns day, price found"),
        ("date,close\n2026-09-14,6400\n", 0, "1 days found, at least 2 needed"),
        ("date,close\n14.9.2026,6400\n", 2, "date is '14.9.2026', YYYY-MM-DD allowed"),
        ("date,close\n2026-09-14,none\n", 2, "close is 'none', a number needed"),
        ("date,close\n2026-09-14,nan\n", 2, "close is nan, a finite number needed"),
        ("date,close\n2026-09-14,-5\n", 2, "close is -5, above 0 allowed"),
        ("date,close\n2026-09-13,6400\n", 2, "2026-09-13 is no session"),
        ("date,close,vix\n2026-09-14,6400,0.17\n", 2, "vix is 0.17, 5 to 150 allowed"),
        ("date,close\n2026-09-14,6400\n2026-09-16,6401\n", 3, "2026-09-15 was a session"),
        ("date,close\n2026-09-14,6400\n2026-09-14,6401\n", 3, "does not come after"),
        ("date,close\n2026-09-14,6400\n2026-09-15,640\n", 3, "close jumps from 6400 to 640"),
        ("date,close\n2026-09-14\n", 2, "1 cells found, 2 needed"),
    ],
)
def test_a_bad_file_is_refused_in_one_line(make_market, tmp_path, text, line, what):
    file = tmp_path / "bad.csv"
    file.write_text(text)

    with pytest.raises(BadPathFileError) as caught:
        make_market(path=str(file))

    assert caught.value.line == line
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_refused_in_one_line(make_market, tmp_path):
    with pytest.raises(BadPathFileError, match="cannot be read"):
        make_market(path=str(tmp_path / "nowhere.csv"))
