"""The page about an order's stages, drawn from the table the code walks by."""

from __future__ import annotations

from thetawarden.domain.orders.codes import CODES
from thetawarden.domain.orders.machine import TABLE, diagram
from thetawarden.domain.orders.stages import ENDS, Stage

STAGES = {
    Stage.INTENDED: "the intent is on disk; its bytes may have left or not",
    Stage.SENT: "its bytes left; nobody has answered yet",
    Stage.WORKING: "the broker has it",
    Stage.PARTIAL: "some of it is filled",
    Stage.UNKNOWN: "it is not known what became of it; nothing is sent again until it is",
    Stage.FILLED: "all of it is filled",
    Stage.CANCELLED: "over; what was filled before stays",
    Stage.REJECTED: "the broker refused it, and reported so or never had it",
    Stage.EXPIRED: "the broker had it, and has it no more",
    Stage.WITHHELD: "nothing left: the approval had lapsed, or the last gate kept it",
    Stage.ABSENT: "it never arrived, by two whole books",
}


def render() -> str:
    """The whole page."""
    lines = [
        "# An order's stages",
        "",
        "Made from the code by `make docs`; do not edit. How an order lives is told in",
        "[execution.md](execution.md).",
        "",
        "```mermaid",
        diagram(),
        "```",
        "",
        "## Stages",
        "",
        "| stage | what it means | over |",
        "| --- | --- | --- |",
    ]
    lines += [
        f"| {stage} | {words} | {'yes' if stage in ENDS else ''} |"
        for stage, words in STAGES.items()
    ]
    lines += [
        "",
        "## What leads where",
        "",
        "Whatever is not listed changes nothing: late, repeated and reordered word is normal. What",
        "had ended and lives or has filled after all, by the broker's own evidence, is told to a",
        "person at once.",
        "",
        "| at | what is heard | leads to | |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {stage} | {evidence} | {after.stage} | {'resurrected' if after.resurrects else ''} |"
        for (stage, evidence), after in TABLE.items()
    ]
    lines += [
        "",
        "## Codes",
        "",
        "What a code of the broker's about an order means. None is an order's state by itself.",
        "",
        "| code | meaning |",
        "| --- | --- |",
    ]
    lines += [f"| {code} | {meaning} |" for code, meaning in sorted(CODES.items())]
    lines += ["| any other of 2100 to 2199 | warning: the order lives |"]
    lines += ["| any other | an error without an echo: ask what became of it |", ""]
    return "\n".join(lines)
