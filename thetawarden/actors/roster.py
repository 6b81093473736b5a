"""Who is on the desk: the fixed posts, and the instances that are asked for at the moment.

An instance that is no longer asked for is *away*: nobody reaches it, its memory is kept, and when
it is asked for again it goes on where it stopped. One that the log knows from before a crash begins
away. Used on the supervisor's thread; others may read `posts`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from thetawarden.actors.memory import encode_snapshot, rebuild
from thetawarden.actors.post import Post, Status
from thetawarden.actors.router import Router
from thetawarden.actors.tree import Group, Tree
from thetawarden.domain.instants import UnixNs
from thetawarden.messages.registry import instance_of, role_of
from thetawarden.ports import MessageLog

_log = logging.getLogger("thetawarden.actors")


class NoSuchRoleError(Exception):
    """Instances were asked for of a role that has no template. Our bug: mend `supervisor.py`."""

    def __init__(self, role: str, known: tuple[str, ...]) -> None:
        roles = ", ".join(known) or "none"
        super().__init__(f"no template makes instances of {role!r}; there are: {roles}")


class Roster:
    """Every post by name and by group, in start order."""

    def __init__(self, tree: Tree, router: Router) -> None:
        self.tree = tree
        self._router = router
        self._members = {group.name: [spec.name for spec in group.actors] for group in tree.groups}
        self._group_of = {spec.name: group for group in tree.groups for spec in group.actors}
        self._by_role = {
            group.template.role: group for group in tree.groups if group.template is not None
        }
        self._away: dict[str, Post] = {}
        router.open(Post(spec) for spec in tree.fixed())

    @property
    def posts(self) -> Mapping[str, Post]:
        """All that can be reached; replaced as a whole whenever it changes."""
        return self._router.posts

    def group_of(self, name: str) -> Group:
        """The group that an actor is restarted in."""
        return self._group_of[name]

    def group_name(self, name: str) -> str:
        """The same by name, from any thread; empty for an actor that is not there any more."""
        group = self._group_of.get(name)
        return "" if group is None else group.name

    def members(self, group: Group) -> tuple[str, ...]:
        """The group's actors as they are now, in start order."""
        return tuple(self._members[group.name])

    def in_order(self) -> list[Post]:
        """All posts in start order."""
        return [self.posts[name] for group in self.tree.groups for name in self.members(group)]

    def instances(self, role: str) -> tuple[str, ...]:
        """The instances that are there, in start order."""
        return tuple(
            name for name in self._members[self._group(role).name] if role_of(name) == role
        )

    def roles(self) -> tuple[str, ...]:
        """The roles whose instances come and go."""
        return tuple(self._by_role)

    def everybody(self) -> tuple[Post, ...]:
        """Those on the desk and those away."""
        return (*self.posts.values(), *self._away.values())

    def away(self, role: str) -> tuple[Post, ...]:
        """The instances that are known and not asked for."""
        return tuple(post for name, post in self._away.items() if role_of(name) == role)

    def recall(self, name: str) -> Post | None:
        """The post that what the log remembers of this name belongs to; None if nobody's."""
        post = self.posts.get(name) or self._away.get(name)
        spec = self.tree.spec_of(name) if post is None else None
        if spec is not None:
            post = self._away[name] = Post(spec)
        return post

    def admit(self, names: tuple[str, ...], log: MessageLog, now: UnixNs) -> tuple[Post, ...]:
        """Make instances reachable, each with the memory it has; they are not started here.

        A new one begins with a snapshot in the log, so that recovery need not look for older ones.
        """
        posts = []
        for name in names:
            group = self._group(role_of(name))
            post = self._away.pop(name, None)
            if post is None:
                assert group.template is not None  # noqa: S101  # that is how the group was found
                post = Post(group.template.spec(instance_of(name)))
                self._note_first_state(post, log, now)
            self._members[group.name].append(name)
            self._group_of[name] = group
            posts.append(post)
        self._router.open(posts)
        return tuple(posts)

    def shut(self, post: Post) -> None:
        """Let nobody reach an instance any more; what waits for it can still be handled."""
        self._router.shut([post])

    def dismiss(self, post: Post) -> None:
        """Forget an instance that was shut and stopped, but not what it remembers."""
        self._members[self._group_of.pop(post.name).name].remove(post.name)
        post.status = Status.DOWN
        self._away[post.name] = post

    def preserve(self, log: MessageLog, now: UnixNs) -> None:
        """Write the states of those away to the log: a page begins with all that is known."""
        for post in self._away.values():
            try:
                actor, timers = rebuild(post.spec.make, post.snapshot, post.steps)
                post.snapshot = encode_snapshot(actor, timers)
            except Exception as error:  # noqa: BLE001  # an actor of an older version; its past stays readable
                _log.error("child_not_preserved", exc_info=error, extra={"actor": post.name})
                continue
            post.steps = []
            log.snapshot(
                actor=post.name, incarnation=post.incarnation, at_ns=now, state=post.snapshot
            )

    def _group(self, role: str) -> Group:
        if role not in self._by_role:
            raise NoSuchRoleError(role, self.roles())
        return self._by_role[role]

    @staticmethod
    def _note_first_state(post: Post, log: MessageLog, now: UnixNs) -> None:
        try:
            state = encode_snapshot(post.spec.make(), {})
        except Exception:  # noqa: BLE001  # then its start fails too, and that is reported
            return
        log.snapshot(actor=post.name, incarnation=0, at_ns=now, state=state)
