"""Worlds for tests, and looks into what was said in them."""

from thetawarden.messages.base import Envelope
from thetawarden.sim.campaign import Outcome
from thetawarden.sim.world import World


class Record:
    """Everything that any process of a world recorded."""

    def __init__(self):
        self.entries = []

    def __call__(self, entry):
        self.entries.append(entry)

    def envelopes(self, kind):
        return [one for one in self.entries if isinstance(one, Envelope) and type(one.body) is kind]

    def said(self, kind):
        return [one.body for one in self.envelopes(kind)]


def world_of(settings, folder, **more):
    record = Record()
    return World(settings, folder, watch=record, **more), record


def uneventful(plan, *, reached=()):
    """What comes of a plan in which nothing failed, and these states were reached."""
    return Outcome(
        plan=plan,
        seed=plan.seed,
        days=plan.days,
        schedule=(),
        violations=(),
        looks={},
        sometimes=dict.fromkeys(reached, 1),
        messages=1,
        processes=1,
        digest="",
    )
