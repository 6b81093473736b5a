"""Rows and columns that are redrawn often: only what is on the screen is made into text.

The first line names the columns and stays. The cursor stays with its row, wherever that moves; at
the end of a grid that follows it stays with the end.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.events import Click, Resize
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from typing_extensions import override

GAP = " "
HEADER = Style(bold=True, underline=True)
CURSOR = Style(reverse=True)
_STYLES: dict[str, Style] = {}


class Column(msgspec.Struct, frozen=True):
    """One column; `width` 0 is as wide as its widest cell."""

    title: str
    right: bool = False
    width: int = 0


class Row(msgspec.Struct, frozen=True, gc=False):
    """One row: what it is of, its cells, and how it looks; a heading cannot be chosen."""

    key: str
    cells: tuple[str, ...]
    style: str = ""
    heading: bool = False


class Grid(ScrollView, can_focus=True):
    """A table with a cursor."""

    BINDINGS = [  # noqa: RUF012  # as the library reads it
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("home,g", "first", "first", show=False),
        Binding("end,G", "last", "last", show=False),
        Binding("left", "scroll_left", "left", show=False),
        Binding("right", "scroll_right", "right", show=False),
        Binding("enter", "choose", "open", show=False),
    ]

    class Chosen(Message):
        """A row was opened."""

        def __init__(self, grid: Grid, row: Row) -> None:
            super().__init__()
            self.grid, self.row = grid, row

        @property
        @override
        def control(self) -> Grid:
            """Whose row it is."""
            return self.grid

    def __init__(
        self, columns: Sequence[Column] = (), *, follows: bool = False, grid_id: str | None = None
    ) -> None:
        super().__init__(id=grid_id)
        self._columns = tuple(columns)
        self._rows: Sequence[Row] = ()
        self._widths: tuple[int, ...] = ()
        self._at = 0
        self._follows = follows
        self.following = follows

    @property
    def rows(self) -> Sequence[Row]:
        """All rows as they were shown last."""
        return self._rows

    @property
    def chosen(self) -> Row | None:
        """The row under the cursor; None on a heading or when there is none."""
        if not 0 <= self._at < len(self._rows):
            return None
        row = self._rows[self._at]
        return None if row.heading else row

    def show(self, rows: Sequence[Row], columns: Sequence[Column] | None = None) -> None:
        """Draw these rows instead; nothing is drawn when nothing has changed."""
        columns = self._columns if columns is None else tuple(columns)
        if columns == self._columns and rows == self._rows:
            return
        before = self._rows[self._at].key if self._at < len(self._rows) else None
        self._columns, self._rows = columns, rows
        self._widths = tuple(
            column.width or _widest(column, number, rows) for number, column in enumerate(columns)
        )
        self._measure()
        self._at = max(0, len(rows) - 1) if self.following else self._place_of(before)
        if not self.following and self.chosen is None:
            self._step(1, 1)
        self._keep_in_sight()
        self.refresh()

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self._step(self._at + by, by)

    def action_page(self, by: int) -> None:
        """Move the cursor by a screen."""
        self._step(self._at + by * max(1, self.size.height - 2), by)

    def action_first(self) -> None:
        """Go to the first row."""
        self._step(0, 1)

    def action_last(self) -> None:
        """Go to the last row, and stay there when this grid follows."""
        self._step(len(self._rows) - 1, -1)

    def go_to(self, key: str) -> None:
        """Put the cursor on this row."""
        for number, row in enumerate(self._rows):
            if row.key == key:
                self._step(number, 1)
                return

    def action_choose(self) -> None:
        """Open the row under the cursor."""
        if (row := self.chosen) is not None:
            self.post_message(self.Chosen(self, row))

    @override
    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        width, left = self.size.width, self.scroll_offset.x
        if y == 0:
            titles = tuple(column.title for column in self._columns)
            return self._strip(titles, HEADER, left, width)
        number = self.scroll_offset.y + y - 1
        if not 0 <= number < len(self._rows):
            return Strip.blank(width, self.rich_style)
        row = self._rows[number]
        style = self.rich_style + _style(row.style)
        if number == self._at and not row.heading:
            style += CURSOR if self.has_focus else HEADER
        return self._strip(row.cells, style, left, width)

    def on_click(self, event: Click) -> None:
        """Put the cursor where the mouse is; a second click opens the row."""
        number = self.scroll_offset.y + event.y - 1
        if event.y == 0 or not 0 <= number < len(self._rows):
            return
        again = number == self._at
        self._step(number, 1)
        if again:
            self.action_choose()

    def on_resize(self, _event: Resize) -> None:
        """Keep the cursor in sight."""
        self._measure()
        self._keep_in_sight()

    def _measure(self) -> None:
        total = sum(self._widths) + len(GAP) * max(0, len(self._widths) - 1)
        self.virtual_size = Size(max(total, self.size.width), len(self._rows) + 1)

    def _strip(self, cells: tuple[str, ...], style: Style, left: int, width: int) -> Strip:
        parts = []
        for column, wide, cell in zip(self._columns, self._widths, cells, strict=False):
            spare = wide - cell_len(cell)
            pad = " " * max(0, spare) if column.right else ""
            parts.append(set_cell_size(pad + cell, wide))
        text = GAP.join(parts)
        return Strip([Segment(text, style)]).crop_extend(left, left + width, style)

    def _step(self, to: int, by: int) -> None:
        """Go to a row, or on in that direction past headings; else to the nearest the other way."""
        if not self._rows:
            return
        last = len(self._rows) - 1
        at = min(max(to, 0), last)
        ahead = range(at, last + 1) if by > 0 else range(at, -1, -1)
        behind = range(at, -1, -1) if by > 0 else range(at, last + 1)
        for number in (*ahead, *behind):
            if not self._rows[number].heading:
                self._at = number
                break
        self.following = self._follows and self._at == last
        self._keep_in_sight()
        self.refresh()

    def _place_of(self, key: str | None) -> int:
        if self._at < len(self._rows) and self._rows[self._at].key == key:
            return self._at
        for number, row in enumerate(self._rows):
            if row.key == key:
                return number
        return min(self._at, max(0, len(self._rows) - 1))

    def _keep_in_sight(self) -> None:
        room = max(1, self.size.height - 1)
        top = self.scroll_offset.y
        wanted = min(max(top, self._at - room + 1), self._at)
        if wanted != top:
            self.scroll_to(y=wanted, animate=False, immediate=True, force=True)


def _widest(column: Column, number: int, rows: Sequence[Row]) -> int:
    cells = (row.cells[number] for row in rows if number < len(row.cells) and not row.heading)
    return max(cell_len(column.title), max(map(cell_len, cells), default=0))


def _style(words: str) -> Style:
    if words not in _STYLES:
        _STYLES[words] = Style.parse(words)
    return _STYLES[words]
