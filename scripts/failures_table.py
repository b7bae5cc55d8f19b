"""Writes docs/failures.md from the data that the classifier uses; it knows no failure of its own.

python scripts/failures_table.py            # writes the page
python scripts/failures_table.py --print    # prints it
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from monitor.core.classification.causes import EXCEPTIONS, REGISTERED
from monitor.core.classification.classify import MEANING
from monitor.core.classification.failure_rules import (
    LAST_RESORT,
    NAMED,
    NUMBERED,
    SPOKEN,
    Condition,
    FailureClass,
    FailureRule,
)
from monitor.core.classification.remedies import REMEDIES, SLOWNESS
from monitor.core.model import Blame, Failure, Verdict
from monitor.core.outages.blind_spans import BELOW_PROTOCOL
from monitor.providers import PROVIDERS, Provider

PAGE = Path(__file__).resolve().parent.parent / "docs" / "failures.md"

HEAD = """\
# Every failure

This page is generated from the data that the classifier uses, by `python scripts/failures_table.py`.
Do not edit it.

A run that did not pass has one failure of this closed list. The *first blame* rests on the run alone, and
a failure that explains itself keeps it. For `{reach}` it depends on what else was reachable
from the same place. For a `server` or `silent` failure without a code it depends on the target's history
and its neighbours: [Reading an incident](reading-an-incident.md#blame) says how.

`failed` counts as downtime when the rule opens a window. `inconclusive` is ignored.
"""
RULES_HEAD = """\
## How an error is read

The rows below are tried from the first to the last, letters in either case, and the first that fits
decides: a row outranks every row below it. Words come before names, and names before numbers, because a
gateway or a framework chooses status and code, and the words say what happened behind it. In front of all
rows stands what went wrong before the provider said a word (`dns`, `connect`, `tls`, and a frame that is
none). The words of a text that did arrive are judged by themselves (`quality`).

- The *words* are the message and the reason of a close, whichever field of whichever shape holds them. A
  page or a plain text gives its words too, and JSON of an unknown shape is quoted as it stands.
- A *code* may also stand as the type, or be quoted in the words.
- The *status* is the innermost that is known: one that the words quote, else one that stands as the code,
  else that of the answer, else the one whose twin the close code is. *Handed on* means: not the answer's own.
- The words quote a status as in `Error code: 401`, `400: …`, `HTTP 503` and `429 Too Many Requests`, or as an
  exception: {quoted}.
- Twins of a status are the close codes {twins}.
"""
WORDS_HEAD = """\
### What the words say
"""
NAMES_HEAD = """\
### What the code or the type names

First the provider's own names, which stand in the last table. Then:
"""
NUMBERS_HEAD = """\
### What stands alone

Here no word and no name has decided.
"""
LAST_HEAD = """\
### What is left

Next come a provider's own meaning of a status without words, the watchdog (`silent`) and the connection that
was lost after the session was ready (`server`). Where none of them fits and something was answered, these are
tried; after them an upgrade that was refused is `handshake`, what could not be understood `protocol`, and the
rest `unknown`.
"""
CLASSES_HEAD = """\
## What leads to each failure

The rows of the tables above, by failure. The lower number outranks the higher, whatever the failure. Those
that are missing come from no row: {others} are told by the connection, the watchdog, the form of an answer or
our own side.
"""
CODES_HEAD = """\
## Codes of single providers
"""


def main(arguments: Sequence[str]) -> int:
    """Write the page, or print it."""
    if arguments == ["--print"]:
        sys.stdout.write(render())
    else:
        PAGE.write_text(render(), "utf-8")
    return 0


def render() -> str:
    """The page."""
    head = HEAD.format(reach="`, `".join(sorted(BELOW_PROTOCOL)))
    blocks = [
        head,
        _table(("Failure", "What the run saw", "Verdict", "First blame", "What to do"), _failures()),
        RULES_HEAD.format(quoted=_quoted(), twins=_twins()),
    ]
    for title, rules in _PARTS:
        blocks += [title, _table(("Row", "Fits", "Failure"), _rules(rules))]
    blocks += [
        CLASSES_HEAD.format(others=_others()),
        _table(("Failure", *_COLUMNS, "Names of single providers"), _classes()),
        CODES_HEAD,
        _table(("Provider", "Code or type", "Failure"), _codes()),
    ]
    return "\n".join(blocks)


_PARTS = (
    (WORDS_HEAD, SPOKEN),
    (NAMES_HEAD, NAMED),
    (NUMBERS_HEAD, NUMBERED),
    (LAST_HEAD, LAST_RESORT),
)
_COLUMNS = ("Words", "Names", "Numbers alone", "What is left")
_ROWS = {id(rule): row for row, rule in enumerate((*SPOKEN, *NAMED, *NUMBERED, *LAST_RESORT), 1)}


def _quoted() -> str:
    return ", ".join(f"`{name}` ({status})" for name, status in EXCEPTIONS.items())


def _twins() -> str:
    registered = ", ".join(f"`{close}` ({status})" for close, status in REGISTERED.items())
    return f"{registered} and `4400` to `4599` (400 to 599)"


def _classes() -> Iterator[tuple[str, ...]]:
    """For every failure the rows that lead to it, part by part."""
    for failure in filter(_has_rows, Failure):
        rows = [[str(_ROWS[id(rule)]) for rule in rules if _failure(rule) is failure] for _, rules in _PARTS]
        own = [f"`{name}`" for name, provider in PROVIDERS.items() if failure in _named_by(provider)]
        yield f"`{failure}`", *(", ".join(part) for part in rows), ", ".join(own)


def _others() -> str:
    return ", ".join(f"`{failure}`" for failure in Failure if not _has_rows(failure))


def _has_rows(failure: Failure) -> bool:
    return any(_failure(rule) is failure for _, rules in _PARTS for rule in rules)


def _named_by(provider: Provider) -> set[Failure]:
    return {MEANING[what][0] for what in provider.codes.values()}


def _failure(rule: FailureRule) -> Failure:
    return MEANING[rule.then][0]


def verdict_and_blame(failure: Failure) -> tuple[str, str]:
    """What the classifier makes of a failure; two verdicts, where it depends on how many words are wrong."""
    _, verdict, blame = MEANING[_class(failure)]
    graded = f"{Verdict.DEGRADED} or {verdict}" if failure is Failure.QUALITY else str(verdict)
    return graded, str(blame)


def _class(failure: Failure) -> FailureClass:
    if failure in BELOW_PROTOCOL:
        return FailureClass.NETWORK
    return next(one for one, (named, _, _) in MEANING.items() if named is failure)


def _failures() -> Iterator[tuple[str, ...]]:
    for failure in Failure:
        remedy, (verdict, blame) = REMEDIES[failure], verdict_and_blame(failure)
        yield f"`{failure}`", remedy.seen, verdict, blame, remedy.do
    yield "none", SLOWNESS.seen, Verdict.DEGRADED, Blame.PROVIDER, SLOWNESS.do


def _rules(rules: Iterable[FailureRule]) -> Iterator[tuple[str, ...]]:
    for rule in rules:
        yield str(_ROWS[id(rule)]), "<br>".join(_conditions(rule)), f"`{MEANING[rule.then][0]}`"


def _conditions(rule: FailureRule) -> Iterator[str]:
    """One line for each condition; those that name codes only share a line."""
    for codes_only, group in groupby(rule.any_of, key=_names_codes_only):
        conditions = list(group)
        if codes_only:
            yield _any("code", sorted(code for when in conditions for code in when.code))
        else:
            yield from map(_condition, conditions)


def _names_codes_only(when: Condition) -> bool:
    return bool(when.code) and when == Condition(code=when.code)


def _condition(when: Condition) -> str:
    parts = [
        _any("HTTP status", _ranges(when.status)),
        f"an HTTP status other than `{when.not_status}`" if when.not_status else "",
        "handed on" if when.caused else "",
        "to the upgrade" if when.refused else "",
        _any("close code", sorted(when.close)),
        _any("type", sorted(when.type)),
        _any("code", sorted(when.code)),
        _any("the parameter is", sorted(when.param)),
        _any("the message says", when.phrase),
        f"the address matches {_code(when.url)}" if when.url else "",
        "the transcription of one item failed" if when.item else "",
        "the response that was asked for failed" if when.response else "",
        "the answer is an error that the provider worded" if when.explained else "",
        "the token limit in its headers is below the configured one" if when.lowered else "",
        "another parameter than the recording is named" if when.other_param else "",
        "code null" if when.no_code else "",
        "no words" if when.wordless else "",
    ]
    return " and ".join(filter(None, parts))


def _any(what: str, values: Iterable[object]) -> str:
    named = [_code(str(value)) for value in values]
    return (
        f"{what} {' or '.join((', '.join(named[:-1]), named[-1])) if len(named) > 1 else named[0]}"
        if named
        else ""
    )


def _ranges(numbers: Iterable[int]) -> Iterator[str]:
    """The numbers in order, neighbours from three on as a range."""
    for _, group in groupby(enumerate(sorted(numbers)), key=lambda pair: pair[1] - pair[0]):
        run = [number for _, number in group]
        yield from [f"{run[0]}` to `{run[-1]}"] if len(run) > 2 else map(str, run)


def _codes() -> Iterator[tuple[str, ...]]:
    for name, provider in PROVIDERS.items():
        for code, what in sorted(provider.codes.items()):
            yield f"`{name}`", _code(code), f"`{MEANING[what][0]}`"


def _code(text: str) -> str:
    """Text in a table's cell as it stands: a bar would end the cell."""
    return f"`{text}`".replace("|", "\\|")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
