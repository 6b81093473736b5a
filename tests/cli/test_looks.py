"""The console's tables, of a real desk: what the verbs show, as sheets."""

import pytest

from thetawarden.cli.looks import LOOKS
from thetawarden.console.grid import Column
from thetawarden.infra.control.client import ControlClient

BY_TITLE = {look.title: look for look in LOOKS}


@pytest.fixture(scope="module")
def eyes(desk):
    return ControlClient(desk.store, timeout_s=20.0)


@pytest.mark.parametrize("title", BY_TITLE)
def test_every_look_is_a_sheet_whose_rows_fit_its_columns(eyes, title):
    sheet = BY_TITLE[title].show(eyes, "")

    assert sheet.words
    assert all(isinstance(column, Column) for column in sheet.columns)
    assert {len(row) for row in sheet.rows} <= {len(sheet.columns)}
    assert all(isinstance(cell, str) for row in sheet.rows for cell in row)


def test_chains_can_be_chosen_among(eyes):
    first = BY_TITLE["Chains"].show(eyes, "")
    last = BY_TITLE["Chains"].show(eyes, first.choices[-1])

    assert first.choices == last.choices
    assert len(first.choices) > 1
    assert first.words.partition(":")[0] == first.choices[0].partition("/")[2]
    assert last.words.partition(":")[0] == last.choices[-1].partition("/")[2]
