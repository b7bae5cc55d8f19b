"""The commands: each builds what it needs and hands it down; nothing here decides what a run means."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from inspect import Parameter

from cyclopts import App, CycloptsError, MissingArgumentError, UnusedCliTokensError

from monitor import __version__
from monitor.cli.terminal import forget_output, survive_any_locale
from monitor.core.errors import MonitorError
from monitor.core.sanitize import one_line

FINE, FAILED, OUR_FAULT = 0, 1, 2
_LONGEST = 300

COMMANDS = {
    "demo": (
        "demo.command:demo",
        "A practice provider, a recorded day of outage, live checks and the page; no key needed.",
    ),
    "serve": ("serve:serve", "The service: scheduler, checks, alerts and the page."),
    "check": ("check:check", "Run targets once, now; needs no database and stores nothing."),
    "validate": (
        "validate:validate",
        "Read the configuration: what would run, what it costs, how fast it would notice.",
    ),
    "doctor": (
        "doctor:doctor",
        "What is wrong, here and at the endpoints, and how to mend it.",
    ),
    "migrate": ("migrate:migrate", "Bring the database to the current schema."),
    "import": ("import_:import_", "Read outcome lines from a file or from '-'."),
    "export": ("export:export", "Write outcomes as JSON lines or CSV."),
    "replay": ("replay:replay", "Derive windows and incidents afresh from stored outcomes."),
    "evidence": ("evidence:evidence", "Write the evidence bundle of an incident."),
    "mark": ("mark:mark", "Note an outside event, such as a deployment, on the timeline."),
    "sandbox": ("sandbox:sandbox", "The practice provider alone, with a fault script."),
    "clip": ("clip:app", "Make a recording of one's own ready to watch with."),
    "alert-test": ("alert:alert_test", "Send a drill to a channel and print request and reply."),
}


def build() -> App:
    """The command line; a command's module is imported only when the command is asked for."""
    app = App(
        name="earwitness",
        help="Listens to speech-to-text models and testifies: what failed, from when to when, and why.\n\n"
        "Exit codes: 0 fine, 1 a target failed or a difference was found, "
        "2 a configuration or monitor error.",
        version=__version__,
        result_action="return_value",
    )
    for name, (place, summary) in COMMANDS.items():
        app.command(f"monitor.cli.{place}", name=name, help=summary)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. What is wrong on our side is one sentence on stderr."""
    try:
        code = _run(arguments if arguments is not None else sys.argv[1:])
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        forget_output()  # the reader of a pipe went away, as `| head` does; nothing is lost
        return FINE
    except (MonitorError, CycloptsError, OSError) as error:
        forget_output()
        print(f"earwitness: {_sentence(error)}", file=sys.stderr)  # noqa: T201 - it speaks to a person
        return OUR_FAULT
    except Exception:  # noqa: BLE001 - the interpreter's own exit code would say that a target failed
        traceback.print_exc()
        return OUR_FAULT
    return code if isinstance(code, int) else FINE


def _run(arguments: Sequence[str]) -> object:
    survive_any_locale()
    return build()(arguments, exit_on_error=False, print_error=False)


def _sentence(error: Exception) -> str:
    """What is wrong, in one line for all but the faults of a configuration, which have one each."""
    match error:
        case CycloptsError():
            chain = " ".join(("earwitness", *(error.command_chain or ())))
            return f"{one_line(_misuse(error), _LONGEST)}; see `{chain} --help`"
        case OSError(filename=str(name)):
            return f"{name}: {error.strerror}"
        case _:
            return str(error)


def _misuse(error: CycloptsError) -> str:
    if isinstance(error, UnusedCliTokensError):
        return f"unexpected argument {' '.join(error.unused_tokens or ())}"
    if isinstance(error, MissingArgumentError) and error.argument and not error.argument.tokens:
        name = error.argument.names[0]
        is_option = error.argument.field_info.kind is Parameter.KEYWORD_ONLY
        if is_option and not error.argument.required:
            return f"{name} needs a value"
        return f"{name if is_option else name.lstrip('-').upper()} is missing"
    return str(error).partition(" Available commands")[0].rstrip(".")
