"""Worlds for tests, and looks into what was said in them."""

from thetawarden.messages.base import Envelope
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
