"""Every row of the regime's and the risk governor's specification has tests, by name.

A row without one, or a test that is no longer there, fails here.
"""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
REGIME = tuple(f"G{number}" for number in range(1, 7))
RISK = tuple(f"R{number}" for number in range(1, 17))
ROWS = {
    "G1": ("regime/test_vix_band", ("a_vix_falls_into_its_row", "a_row_limits_positions")),
    "G2": ("regime/test_term_structure", ("points_of_inversion_name", "a_hole_in_the_curve")),
    "G3": ("regime/test_trend", ("price_averages_direction", "a_missing_figure")),
    "G4": ("regime/test_assess", ("states_of_the_market_have_their_names",)),
    "G5": ("regime/test_correlation_gate", ("likeness_costs_what_the_table_says",)),
    "G6": ("regime/test_event_factor", ("an_announcement_shrinks", "a_stock_is_sold_only_when")),
    "R1": ("risk/test_market_rules", ("every_vix_band_sets", "a_stale_vix", "an_unusable_vix")),
    "R2": ("risk/test_book_rules", ("every_greek_lets_through", "short_calls_are_held")),
    "R3": ("risk/test_book_rules", ("margin_in_use_stays", "without_a_usable_margin_answer")),
    "R4": ("risk/test_book_rules", ("margin_after_the_shock_stays",)),
    "R5": ("risk/test_losses", ("every_loss_has_its_levels", "margin_is_told_and_slows")),
    "R6": ("risk/test_book_rules", ("no_scenario_may_cost_more", "what_cannot_be_valued")),
    "R7": ("risk/test_book_rules", ("at_most_two_fifths_of_positions", "every_number_of_days")),
    "R8": ("risk/test_losses", ("the_way_back_goes_by", "size_falls_with_the_depth")),
    "R9": ("risk/test_market_rules", ("every_correlation_has_its_size",)),
    "R10": ("risk/test_book_rules", ("one_name_could_never_lose", "a_sector_has_room")),
    "R11": ("risk/test_market_rules", ("every_announcement_has_its_size", "no_call_is_sold")),
    "R12": ("risk/test_order_rules", ("a_seller_takes_at_most", "the_very_same_order")),
    "R13": ("risk/test_order_rules", ("every_state_lets_through", "a_halted_desk_may_be")),
    "R14": ("risk/test_book_rules", ("a_stress_result_and_a_book_are_believed",)),
    "R15": ("risk/test_order_rules", ("above_a_vix_of_25", "near_the_margin_limit")),
    "R16": ("risk/test_order_rules", ("real_money_asks_for_everything", "an_open_interlock")),
}
"""Where each row is held: a file of tests, and how the names of its tests begin."""


@pytest.mark.parametrize("row", [*REGIME, *RISK])
def test_every_row_has_its_tests(row):
    file, begins = ROWS[row]
    tree = ast.parse((TESTS / "domain" / f"{file}.py").read_text())
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]

    for words in begins:
        assert any(name.startswith(f"test_{words}") for name in names), (row, words)


def test_no_row_is_named_that_is_none():
    assert set(ROWS) == {*REGIME, *RISK}
