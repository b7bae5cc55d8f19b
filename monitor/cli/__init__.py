"""The commands: each builds what it needs and hands it down; nothing here decides what a run means."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cyclopts import App

from monitor import __version__
from monitor.core.errors import MonitorError

FINE, FAILED, OUR_FAULT = 0, 1, 2

COMMANDS = {
    "demo": (
        "demo:demo",
        "A practice provider, a recorded day of outage, live checks and the page; no key needed.",
    ),
    "serve": ("serve:serve", "The service: scheduler, checks, alerts and the page."),
    "check": ("check:check", "Run targets once, now; needs no database and stores nothing."),
    "validate": (
        "check:validate",
        "Read the configuration: what would run, what it costs, how fast it would notice.",
    ),
    "doctor": (
        "doctor:doctor",
        "What is wrong, here and at the endpoints, and how to mend it.",
    ),
    "migrate": ("data:migrate", "Bring the database to the current schema."),
    "import": ("data:import_", "Read outcome lines from a file or from '-'."),
    "export": ("data:export", "Write outcomes as JSON lines or CSV."),
    "replay": ("replay:replay", "Derive windows and incidents afresh from stored outcomes."),
    "evidence": ("data:evidence", "Write the evidence bundle of an incident."),
    "mark": ("data:mark", "Note an outside event, such as a deployment, on the timeline."),
    "sandbox": ("practice:sandbox", "The practice provider alone, with a fault script."),
    "clip": ("clip:app", "Make a recording of one's own ready to watch with."),
    "alert-test": ("alert:alert_test", "Send a drill to a channel and print request and reply."),
}


def build() -> App:
    """The command line; a command's module is imported only when the command is asked for."""
    app = App(
        name="earwitness",
        help="Listens to speech-to-text models and testifies: what failed, from when to when, and why.\n\n"
        "Exit codes: 0 fine, 1 a target failed or a difference was found, 2 our own fault.",
        version=__version__,
        result_action="return_value",
    )
    for name, (place, summary) in COMMANDS.items():
        app.command(f"monitor.cli.{place}", name=name, help=summary)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. What is wrong on our side is one sentence on stderr."""
    try:
        code = build()(arguments if arguments is not None else sys.argv[1:])
    except MonitorError as error:
        print(f"earwitness: {error}", file=sys.stderr)  # noqa: T201 - the command line speaks to a person
        return OUR_FAULT
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # the reader of a pipe went away, as `| head` does; nothing is lost
        return FINE
    return code if isinstance(code, int) else FINE
