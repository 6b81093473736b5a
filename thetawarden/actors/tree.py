"""The shape of a desk: groups of actors in start order, and roles whose instances come and go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from thetawarden.actors.memory import fits
from thetawarden.actors.post import ActorSpec
from thetawarden.domain.restart import Policy
from thetawarden.messages.registry import instance_of, role_of


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """How the instances of one role are made, each by its key: `chain/SPX` by `SPX`."""

    role: str
    kind: type[Any]
    make: Callable[[str], ActorSpec]

    def spec(self, key: str) -> ActorSpec:
        """The spec of one instance; raises ValueError when it would not be found by its key."""
        spec = self.make(key)
        if not key or spec.name != f"{self.role}/{key}" or spec.kind is not self.kind:
            raise ValueError(f"the template of {self.role} makes {spec.name!r} for {key!r}")
        return spec


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Actors that are restarted by one policy, in start order; instances come after the others."""

    name: str
    policy: Policy
    actors: tuple[ActorSpec, ...]
    template: Template | None = None


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """The whole desk: groups in start order, and the policy by which groups are restarted."""

    root: Policy
    groups: tuple[Group, ...]

    def fixed(self) -> tuple[ActorSpec, ...]:
        """The actors that are always there, in start order."""
        return tuple(spec for group in self.groups for spec in group.actors)

    def templates(self) -> tuple[Template, ...]:
        """The roles whose instances come and go."""
        return tuple(group.template for group in self.groups if group.template is not None)

    def spec_of(self, name: str) -> ActorSpec | None:
        """How the actor of this name is made, whether it is there or not; None for no such role."""
        for spec in self.fixed():
            if spec.name == name:
                return spec
        for template in self.templates():
            if template.role == role_of(name) and instance_of(name):
                return template.spec(instance_of(name))
        return None

    def can_begin_with(self, name: str, snapshot: bytes) -> bool:
        """Whether today's actor of this name can take up a state that was written earlier."""
        spec = self.spec_of(name)
        return spec is None or fits(spec.make, snapshot)
