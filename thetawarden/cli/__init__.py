"""The command line: one file a verb, loaded only when it is used.

Whatever goes wrong is one line on standard error and a documented exit code.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from typing_extensions import override

from thetawarden import __version__
from thetawarden.cli.place import Place
from thetawarden.errors import EXIT_UNEXPECTED, EXIT_USAGE, ThetawardenError

# verb: (module, one line for --help); the module of a verb has a command of that name
VERBS: Mapping[str, tuple[str, str]] = {
    "run": ("run", "Run the desk: the supervisor process and all its actors."),
    "status": ("status", "The desk in one look; exits 4 when it is halted."),
    "inspect": ("inspect", "All actors, or one with its whole state."),
    "slots": ("slots", "Market data lines: who streams, who waits, what was refused."),
    "positions": ("positions", "What is held, with marks, results and brackets."),
    "orders": ("orders", "Every order of ours and of others: state, fills, price."),
    "why": ("why", "The causes of an order, back to the quotes, and what came of it."),
    "chain": ("chain", "An option chain: quotes, our Greeks, smile, skew, and every doubt."),
    "regime": ("regime", "What the market's state allows, rule by rule."),
    "console": ("console", "All of it on one live screen: actors, messages, book, the brakes."),
    "risk": ("risk", "Every limit with its use, every brake, the last candidates and why."),
    "stress": ("stress", "The book in every scenario now, with a heat map."),
    "candidates": ("candidates", "What could be sold now, with everything for and against it."),
    "lineup": ("candidates", "Tonight's line-up: build it, look at it, approve it."),
    "actor": ("actor", "Restart, pause or resume one actor by hand."),
    "halt": ("brakes", "Stop taking risk now; only a person lifts it."),
    "resume": ("brakes", "Lift the halt in force."),
    "flatten": ("brakes", "Halt, cancel all and close what is held."),
    "stop": ("brakes", "End the running desk gracefully."),
    "log": ("log", "The message log: show, tail, verify, export."),
    "replay": ("replay", "Rebuild an actor from the message log, or verify a day of it."),
    "guardian": ("guardian", "Guard a running desk from outside; `run` starts one by itself."),
    "chaos": ("chaos", "Simulate trading days under faults and check every invariant."),
    "lake": ("lake", "The tables everything is kept in: info, maintain, query."),
    "init": ("init", "Write a commented configuration file, asking for what matters."),
    "doctor": ("doctor", "Look whether a desk could run here, with a remedy for what is amiss."),
    "service": ("service", "Run as a service: print a unit for systemd."),
    "config": ("config", "Show or check the configuration."),
    "gateway": ("gateway", "The practice gateway alone: a market that speaks the TWS protocol."),
    "version": ("version", "The version of this program."),
}


# how --help lists them; a verb that is in none is listed last
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Run a desk": ("run", "stop", "console", "status"),
    "The brakes": ("halt", "resume", "flatten", "guardian"),
    "What it holds and knows": (
        *("positions", "orders", "risk", "candidates", "regime", "chain", "slots", "lineup"),
    ),
    "Why it did so": ("why", "log", "replay", "inspect", "actor"),
    "Records and studies": ("lake", "stress", "chaos"),
    "Set-up": ("init", "doctor", "service", "config", "gateway", "version"),
}


class _LazyGroup(click.Group):
    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"thetawarden.cli.{VERBS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without loading them."""
        named = {verb for verbs in SECTIONS.values() for verb in verbs}
        others = tuple(verb for verb in VERBS if verb not in named)
        wide = max(map(len, VERBS))
        for title, verbs in (*SECTIONS.items(), ("More", others)):
            rows = [(verb.ljust(wide), VERBS[verb][1]) for verb in verbs if verb in VERBS]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            verbs = ", ".join(VERBS)
            raise click.UsageError(f"no verb {args[0]!r}; there are: {verbs}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=_LazyGroup,
    no_args_is_help=True,
    context_settings={"max_content_width": 100, "help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="thetawarden %(version)s")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where the desk keeps its data.")
@click.option("--config", type=click.Path(path_type=Path), help="The configuration file.")
@click.pass_context
def thetawarden(ctx: click.Context, data_dir: Path | None, config: Path | None) -> None:
    """An autonomous, safety-first options-premium desk for Interactive Brokers.

    With no configuration it runs on an embedded practice market: `thetawarden run`.
    """
    ctx.obj = Place(data_dir=data_dir, config_file=config)


def run_command_line(arguments: Sequence[str]) -> int:
    """Run one verb; returns the exit code, never raises."""
    try:
        code: Any = thetawarden.main(
            args=list(arguments), prog_name="thetawarden", standalone_mode=False
        )
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return EXIT_USAGE if arguments else 0
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        hint = f"; see `{context.command_path} --help`" if context else ""
        return _complain(error.format_message().rstrip(".") + hint, EXIT_USAGE)
    except ThetawardenError as error:
        return _complain(str(error), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return _complain("interrupted", EXIT_UNEXPECTED)
    except SystemExit:  # how click answers that whoever read our output has gone away
        return 0
    except Exception as error:  # the last resort still is one line
        if os.environ.get("THETAWARDEN_TRACEBACK"):
            raise
        words = f"unexpected {type(error).__name__}: {error} (THETAWARDEN_TRACEBACK=1 shows where)"
        return _complain(words, EXIT_UNEXPECTED)
    return code if isinstance(code, int) else 0


def _complain(words: str, code: int) -> int:
    for line in words.splitlines() or [""]:
        click.echo(f"thetawarden: {line}", err=True)
    return code
