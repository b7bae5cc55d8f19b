"""Writes docs/failures.md from the data that the classifier uses; it knows no failure of its own.

python scripts/failures_table.py            # writes the page
python scripts/failures_table.py --print    # prints it
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from monitor.core.classification.classify import MEANING
from monitor.core.classification.failure_rules import LAST_RESORT, RULES, Condition, FailureClass, FailureRule
from monitor.core.classification.remedies import REMEDIES, SLOWNESS
from monitor.core.model import Blame, Failure, Verdict
from monitor.core.outages.blind_spans import BELOW_PROTOCOL
from monitor.providers import PROVIDERS

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

What the provider says is compared with these rules from top to bottom, letters in either case. The first
that fits decides. Before them come the provider's own codes (below) and everything that went wrong before
the provider said a word. After them come the watchdog (`silent`) and the lost connection (`server`). The
words of a text that did arrive are judged by themselves (`quality`). A type counts as a code where no code
is given.
"""
LAST_HEAD = """\
Where none of them fits and something was answered, these are tried:
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
        RULES_HEAD,
        _table(("Rule", "Fits", "Failure"), _rules(RULES)),
        LAST_HEAD,
        _table(("Rule", "Fits", "Failure"), _rules(LAST_RESORT)),
        CODES_HEAD,
        _table(("Provider", "Code or type", "Failure"), _codes()),
    ]
    return "\n".join(blocks)


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
        yield str(rule.number), "<br>".join(_conditions(rule)), f"`{MEANING[rule.then][0]}`"


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
        _any("HTTP status", sorted(when.status)),
        _any("close code", sorted(when.close)),
        _any("type", sorted(when.type)),
        _any("code", sorted(when.code)),
        _any("the message says", when.phrase),
        f"the address matches {_code(when.url)}" if when.url else "",
        "the transcription of one item failed" if when.item else "",
        "the answer is an error that the provider worded" if when.explained else "",
        "the token limit in its headers is below the configured one" if when.lowered else "",
        "code null" if when.no_code else "",
    ]
    return " and ".join(filter(None, parts))


def _any(what: str, values: Iterable[object]) -> str:
    named = [_code(str(value)) for value in values]
    return (
        f"{what} {' or '.join((', '.join(named[:-1]), named[-1])) if len(named) > 1 else named[0]}"
        if named
        else ""
    )


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
