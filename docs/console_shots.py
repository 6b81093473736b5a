"""Takes the console's pictures: `python docs/console_shots.py`, beside a running practice desk."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from thetawarden.cli.console import world_of
from thetawarden.cli.place import Place
from thetawarden.console.app import Console

IMAGES = Path(__file__).parent / "images"
SIZE = (100, 30)
LOOK_S = 4.0
SHOTS = (
    ("actors", ("1",)),
    ("state", ("down", "down", "down", "enter")),
    ("messages", ("escape", "2")),
    ("message", ("up", "up", "enter")),
    ("book", ("escape", "3")),
    ("risk", ("5",)),
    ("verdicts", ("6",)),
    ("chains", ("8",)),
    ("halt", ("h",)),
)


async def shoot(data_dir: Path) -> None:
    """Press through the screens and keep a picture of each."""
    app = Console(world_of(Place(data_dir=data_dir)))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(LOOK_S)
        for name, keys in SHOTS:
            await pilot.press(*keys)
            await pilot.pause(LOOK_S)
            picture = app.export_screenshot(title="thetawarden console", simplify=True)
            (IMAGES / f"console-{name}.svg").write_text(picture)


if __name__ == "__main__":
    asyncio.run(shoot(Path(sys.argv[1])))
