"""A console on a fake desk, driven by keys, and what is on its screen."""

import contextlib
import time

from thetawarden.console.app import Console

SIZE = (80, 24)
DEADLINE_S = 30.0


class Driven:
    """A console that runs headless; `lines` are what a person would see."""

    def __init__(self, app, pilot):
        self.app, self.pilot = app, pilot

    @property
    def lines(self):
        return [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self):
        return "\n".join(self.lines)

    async def press(self, *keys):
        await self.pilot.press(*keys)

    async def type(self, text):
        await self.pilot.press(*("space" if char == " " else char for char in text))

    async def until(self, holds):
        deadline = time.monotonic() + DEADLINE_S
        while not holds():
            assert time.monotonic() < deadline, self.text
            await self.pilot.pause(0.02)

    async def sees(self, *words):
        await self.until(lambda: all(word in self.text for word in words))


@contextlib.asynccontextmanager
async def driven(world, size=SIZE):
    app = Console(world)
    async with app.run_test(size=size, notifications=True) as pilot:
        yield Driven(app, pilot)
