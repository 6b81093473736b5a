"""Tables stay readable where the terminal is narrow: names whole, what is least needed gone."""

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from thetawarden.cli.orders import COLUMNS, SPARE, WHOLE
from thetawarden.cli.tables import plain_table, print_table

REF = "index_puts-3bfsqb.open.tpblcv1.1"
ORDER = (REF, "working", "SELL 4", "0", "-0.34", "XSP 261202P627", "index_puts", "entry")
ROW = (*ORDER, "11-30 14:53:19")


def printed(width, *rows, whole=WHOLE, spare=SPARE):
    table = plain_table("orders", COLUMNS, rows, whole=whole, spare=spare, width=width)
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(table)
    return console.file.getvalue()


def test_everything_is_shown_where_there_is_room():
    assert all(cell in printed(160, ROW) for cell in ROW)


def test_in_eighty_columns_an_orders_name_can_be_copied_and_its_role_is_in_it():
    shown = printed(80, ROW)

    assert REF in shown
    assert "index_puts  " not in shown.replace(REF, "")
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert len(shown.splitlines()) == 3


@given(width=st.integers(min_value=60, max_value=200))
def test_what_is_no_spare_column_is_there_at_any_width(width):
    shown = printed(width, ROW)

    assert all(cell in shown for cell in (REF, "working", "SELL 4"))


def test_an_empty_table_has_its_columns_all_the_same():
    assert "contract" in printed(160)


def test_a_command_in_a_line_of_text_is_left_whole_for_a_narrow_terminal(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "40")
    command = "thetawarden resume --limits 0011aabb --reason WHY"

    print_table(Text(f"no entries: the configuration allows more. If you mean it: {command}"))

    assert command in capsys.readouterr().out.splitlines()[0]
