"""Plays faults, now or on a schedule, and ends them. The one way in for tests, files and admins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from thetawarden.errors import ThetawardenError
from thetawarden.practice.faults import catalogue
from thetawarden.practice.faults.registry import FOR_S, find
from thetawarden.practice.faults.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from thetawarden.practice.faults.registry import Knob, Undo
    from thetawarden.practice.faults.schedule import Planned
    from thetawarden.practice.faults.stage import Link
    from thetawarden.practice.gateway.core import Gateway

_log = structlog.get_logger(__name__)


class FaultPanel:
    """What is being played on one gateway."""

    def __init__(self, gateway: Gateway, *, links: Callable[[], Iterable[Link]]) -> None:
        self._gateway = gateway
        self._stage = Stage(gateway, links=links)
        self._undos: dict[str, Undo] = {}

    def listing(self) -> list[dict[str, Any]]:
        """Every fault with its code, line and arguments."""
        return [
            {"code": one.code, "name": one.name, "line": one.line, "args": one.knobs()}
            for one in sorted(catalogue.FAULTS.values(), key=lambda one: (one.code, one.name))
        ]

    def playing(self) -> list[str]:
        """Names of faults that last."""
        return list(self._undos)

    def play(self, name: str, args: Mapping[str, Knob] | None = None) -> str:
        """Play a fault by name or code, ending an earlier one of the same name first.

        Raises RefusedError for unknown names and arguments.
        """
        one = find(name)
        given = dict(args or {})
        for_s = float(given.pop(FOR_S, 0.0))
        self.end(one.name)
        undo = one.start(self._stage, given)
        _log.warning("fault_played", fault=one.name, args=given, for_s=for_s)
        if undo is not None:
            self._undos[one.name] = undo
            if for_s > 0:
                self._stage.after_s(for_s, lambda: self._end_same(one.name, undo))
        return one.name

    def end(self, name: str) -> bool:
        """End a fault that lasts; False when it is not being played."""
        undo = self._undos.pop(find(name).name, None)
        if undo is None:
            return False
        undo()
        _log.warning("fault_ended", fault=name)
        return True

    def end_all(self) -> None:
        """End everything that lasts."""
        for name in list(self._undos):
            self.end(name)

    def plan(self, planned: Iterable[Planned]) -> None:
        """Play these when their time comes; what is refused then is logged, not raised."""
        for entry in planned:
            due_ns = entry.due_ns(
                now_ns=self._gateway.now_ns, speed=self._gateway.clock.speed or 1.0
            )
            self._gateway.timers.at(due_ns, lambda entry=entry: self._play_planned(entry))  # type: ignore[misc]

    def _play_planned(self, entry: Planned) -> None:
        try:
            self.play(entry.fault, entry.args)
        except ThetawardenError as error:
            _log.error("planned_fault_refused", fault=entry.fault, reason=str(error))

    def _end_same(self, name: str, undo: Undo) -> None:
        if self._undos.get(name) is undo:
            self.end(name)
