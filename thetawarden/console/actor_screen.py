"""The whole state of one actor as a tree that stays alive: open branches are looked up again.

Only branches that are open are made, so that a state of any size is shown at once; and a desk that
takes long to tell it is asked less often, so that looking takes at most a small part of its time.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import Footer, Static, Tree
from textual.widgets.tree import TreeNode
from typing_extensions import override

from thetawarden.console.sources import World
from thetawarden.console.words import actor_cells, branches, value_words
from thetawarden.console.worker import Worker
from thetawarden.errors import ThetawardenError
from thetawarden.messages.control import Inspection

EVERY_S = 1.0
TIMES_LONGER = 20  # than it took to ask: at most a twentieth of the time is spent on it
BRANCHES_MAX = 500
VALUE_CHARS = 200


class Branch(msgspec.Struct):
    """What a node is of: the name it has in its parent, and the value it shows."""

    name: str
    value: Any


class ActorScreen(Screen[None]):
    """One actor; Escape leads back."""

    BINDINGS = [  # noqa: RUF012  # as the library reads it
        Binding("escape", "dismiss", "back"),
        Binding("R", "app.act('restart')", "restart"),
        Binding("P", "app.act('pause')", "pause"),
        Binding("U", "app.act('unpause')", "go on"),
    ]

    def __init__(self, *, actor: str, world: World, worker: Worker) -> None:
        super().__init__()
        self.actor, self._world, self._worker = actor, world, worker
        self._title = Static(f"{actor}: asking …", classes="title", markup=False)
        self._tree: Tree[Branch] = Tree(actor, data=Branch(actor, {}), id="state")

    @override
    def compose(self) -> ComposeResult:
        """Title and tree."""
        self._tree.root.expand()
        yield from (self._title, self._tree)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Begin to look."""
        self._tree.focus()
        self.run_worker(self._look_again_and_again())

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[Branch]) -> None:
        """Make what is in a branch when it is opened."""
        grow(event.node)

    async def _look_again_and_again(self) -> None:
        while True:
            began = time.monotonic()
            await self._look()
            took = time.monotonic() - began
            await asyncio.sleep(max(EVERY_S, TIMES_LONGER * took))

    async def _look(self) -> None:
        try:
            seen = await self._worker.do(lambda: self._world.eyes.inspect(self.actor))
        except ThetawardenError as error:
            self._title.update(str(error))
            return
        self._title.update(title_words(seen))
        if seen.actor_state is None or seen.actor_state is msgspec.UNSET:
            return
        root = self._tree.root
        root.data = Branch(self.actor, seen.actor_state)
        grow(root)


def title_words(seen: Inspection) -> str:
    """Return an actor's health in one line."""
    name, state, incarnation, restarts, lanes, handled, rate, p99 = actor_cells(seen.actors[0])
    silent = " · does not answer" if seen.actor_state is None else ""
    return (
        f"{name} · {state}{silent} · incarnation {incarnation} · restarts {restarts}"
        f" · waiting {lanes} · handled {handled} · {rate}/s · p99 {p99} us"
    )


def grow(node: TreeNode[Branch]) -> None:
    """Let an open branch show its value: children come, go and change, and stay open."""
    if node.data is None or not node.is_expanded:
        return
    inside = list(branches(node.data.value))
    more = len(inside) - BRANCHES_MAX
    shown = inside[:BRANCHES_MAX]
    if more > 0:
        shown.append(("…", f"{more:,} more"))
    names = [name for name, _ in shown]
    if [child.data.name for child in node.children if child.data] != names:
        _replant(node, names)
    for child, (name, value) in zip(node.children, shown, strict=True):
        child.data = Branch(name, value)
        _dress(child)
        grow(child)


def _replant(node: TreeNode[Branch], names: list[str]) -> None:
    wanted = set(names)
    for child in list(node.children):
        if child.data is None or child.data.name not in wanted:
            child.remove()
    here = [child.data.name for child in node.children if child.data]
    if here != names[: len(here)]:  # they have changed places: plant all anew
        node.remove_children()
        here = []
    for name in names[len(here) :]:
        node.add(name, data=Branch(name, None), allow_expand=False)


def _dress(node: TreeNode[Branch]) -> None:
    branch = node.data
    assert branch is not None  # noqa: S101  # set by the caller
    inner = isinstance(branch.value, dict | list | tuple) and bool(branch.value)
    if node.allow_expand != inner:
        node.allow_expand = inner
        if not inner:
            node.remove_children()
    if isinstance(branch.value, dict | list | tuple):
        words = f"{branch.name} ({len(branch.value):,})"
    else:
        words = f"{branch.name}: {value_words(branch.value, VALUE_CHARS)}"
    if str(node.label) != words:
        node.set_label(Text(words, no_wrap=True))
