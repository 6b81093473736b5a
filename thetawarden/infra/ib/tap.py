"""Takes the ticks of our own lines right behind the decoder's door, by the number we asked under.

The library would keep a ticker a contract, not a request: a second request would leak the first,
and late ticks of a cancelled one would still change it. It also spends more on its tickers' events
than all else on a tick costs. So its handlers are replaced for our numbers, and left as they are
for anybody else's. A private hook of ib_async, held by a contract test.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from thetawarden.domain.broker.quote import DataType
from thetawarden.infra.ib.conflation import Outlets
from thetawarden.infra.ib.guarded import GuardedIB
from thetawarden.infra.ib.ticks import Line

PRICE, SIZE, COMPUTATION, GENERIC, STRING = 1, 2, 21, 45, 46
SNAPSHOT_END, DATA_TYPE, PARAMETERS = 57, 58, 81
DELAYED = 3
RETIRED_MAX = 10_000
Fields = list[str]


class Tap:
    """The lines by number, as text; `late` counts what came for a number given up."""

    def __init__(self, outlets: Outlets, on_snapshot_end: Callable[[str], None]) -> None:
        self.late = 0
        self._outlets = outlets
        self._on_snapshot_end = on_snapshot_end
        self._lines: dict[str, Line | None] = {}
        self._retired: deque[str] = deque()

    def install(self, ib: GuardedIB) -> None:
        """Sit down behind a new client's decoder, whose numbers are all new."""
        self._lines.clear()
        self._retired.clear()
        handlers = ib.client.decoder.handlers
        for message, take, at in (
            (PRICE, self._price, 2),
            (SIZE, self._size, 2),
            (COMPUTATION, self._computation, 1),
            (GENERIC, self._generic, 2),
            (STRING, self._nothing, 2),
            (SNAPSHOT_END, self._snapshot_end, 2),
            (DATA_TYPE, self._data_type, 2),
            (PARAMETERS, self._nothing, 1),
        ):
            handlers[message] = self._mine_or(handlers[message], take, at)

    def add(self, number: int, line: Line) -> None:
        """From now on this number is the line's."""
        self._lines[str(number)] = line

    def find(self, number: int) -> Line | None:
        """Return the line of a number, None for one given up or never ours."""
        return self._lines.get(str(number))

    def retire(self, number: int) -> None:
        """Let nothing that still comes under this number change anything."""
        name = str(number)
        self._lines[name] = None
        self._retired.append(name)
        if len(self._retired) > RETIRED_MAX:
            self._lines.pop(self._retired.popleft(), None)

    def mark_delayed(self, line: Line) -> None:
        """The broker shows delayed data where live data was asked for."""
        if line.data_type is DataType.LIVE and line.take_data_type(
            DELAYED, self._outlets.begin_turn()
        ):
            self._outlets.changed(line)

    def _mine_or(
        self, other: Callable[[Fields], Any], take: Callable[[Line, Fields], bool], at: int
    ) -> Callable[[Fields], Any]:
        lines, outlets = self._lines, self._outlets

        def handle(fields: Fields) -> None:
            try:
                line = lines[fields[at]]
            except KeyError:
                other(fields)
                return
            if line is None:
                self.late += 1
                return
            line.heard = True
            if take(line, fields) and line.quiet:
                outlets.changed(line)

        return handle

    def _price(self, line: Line, fields: Fields) -> bool:
        now_ns = self._outlets.now_ns or self._outlets.begin_turn()
        return line.take_price(fields[3], fields[4], fields[5], now_ns)

    def _size(self, line: Line, fields: Fields) -> bool:
        now_ns = self._outlets.now_ns or self._outlets.begin_turn()
        return line.take_size(fields[3], fields[4], now_ns)

    def _computation(self, line: Line, fields: Fields) -> bool:
        now_ns = self._outlets.now_ns or self._outlets.begin_turn()
        return line.take_model(fields[2], fields[4:12], now_ns)

    def _generic(self, line: Line, fields: Fields) -> bool:
        now_ns = self._outlets.now_ns or self._outlets.begin_turn()
        return line.take_generic(fields[3], fields[4], now_ns)

    def _data_type(self, line: Line, fields: Fields) -> bool:
        return line.take_data_type(int(fields[3]), self._outlets.begin_turn())

    def _snapshot_end(self, _line: Line, fields: Fields) -> bool:
        self._on_snapshot_end(fields[2])
        return False

    @staticmethod
    def _nothing(_line: Line, _fields: Fields) -> bool:
        return False
