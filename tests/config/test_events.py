"""Dates of announcements: ours are complete, a user's are read strictly."""

import datetime as dt

import pytest

from thetawarden.config.events import load_macro_dates
from thetawarden.config.problems import ConfigError

FINE = "{kind}:\n  known_until: 2027-12-31\n  days:\n    - 2027-01-27\n"
ALL = "".join(FINE.format(kind=kind) for kind in ("fomc", "cpi", "nfp"))


def test_our_own_dates_are_read_and_reach_into_the_years_they_claim():
    macro = load_macro_dates("")

    for schedule in (macro.fomc, macro.cpi, macro.nfp):
        assert schedule.days == tuple(sorted(set(schedule.days)))
        assert schedule.days[-1] <= schedule.known_until
        assert schedule.known_until >= dt.date(2026, 12, 31)


def test_a_users_dates_take_the_place_of_ours(tmp_path):
    file = tmp_path / "dates.yaml"
    file.write_text(ALL)

    assert load_macro_dates(str(file)).cpi.days == (dt.date(2027, 1, 27),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "an empty file"),
        (ALL.replace("2027-01-27", "27 January", 1), "Invalid"),
        (ALL + FINE.format(kind="fomc"), "the key fomc twice"),
        (ALL + FINE.format(kind="ecb"), "ecb"),
        (ALL.replace("nfp", "npf"), "n"),
        ("- 2027-01-27\n", "Expected `object`"),
    ],
)
def test_dates_that_cannot_be_read_are_refused_in_one_line(tmp_path, text, words):
    file = tmp_path / "dates.yaml"
    file.write_text(text)

    with pytest.raises(ConfigError) as refusal:
        load_macro_dates(str(file))

    assert words in str(refusal.value)
    assert "write for fomc, cpi and nfp" in str(refusal.value)


def test_a_missing_file_is_refused_in_one_line(tmp_path):
    with pytest.raises(ConfigError, match="no readable file"):
        load_macro_dates(str(tmp_path / "none.yaml"))
