"""A plan as text for people and as JSON for programs; it decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from monitor.core.scheduling.budget import money
from monitor.core.timefmt import duration_text, duration_words
from monitor.planning.detection_time import QuotaForecast
from monitor.planning.plan import Budget, Plan, Watched


def render_text(plan: Plan) -> str:
    """The plan in plain lines, ending with a line break."""
    if plan.targets:
        sections = [_runs(plan), _costs(plan), _notices(plan), _quotas(plan)]
    else:
        sections = [("What would run", ["  nothing: the file has no [[watch]]"])]
    sections.append(("Questions that this configuration cannot answer", _bullets(plan.unanswered)))
    sections.append(("Good to know", _bullets((*plan.retirements, *plan.hints))))
    blocks = ["\n".join([title, *lines]) for title, lines in sections if lines]
    return "\n\n".join(blocks) + "\n"


def to_json(plan: Plan) -> dict[str, Any]:
    """The plan as plain values: durations in seconds, dates as ISO 8601."""
    quotas = [{**asdict(quota), "fits": quota.fits} for quota in plan.quotas]
    result: dict[str, Any] = _plain({**asdict(plan), "quotas": quotas})
    return result


def _plain(value: Any) -> Any:
    match value:
        case timedelta():
            seconds = value.total_seconds()
            return int(seconds) if seconds.is_integer() else seconds
        case date():
            return value.isoformat()
        case Mapping():
            return {key: _plain(item) for key, item in value.items()}
        case tuple() | list():
            return [_plain(item) for item in value]
        case _:
            return value


def _bullets(lines: Iterable[str]) -> list[str]:
    return [f"  - {line}" for line in lines]


def _runs(plan: Plan) -> tuple[str, list[str]]:
    return f"What would run, from {plan.location}", list(_by_endpoint(plan))


def _by_endpoint(plan: Plan) -> Iterator[str]:
    for endpoint in dict.fromkeys(target.endpoint for target in plan.targets):
        yield f"  {endpoint}"
        for target in plan.targets:
            if target.endpoint == endpoint:
                pace = f"every {duration_text(target.every)}"
                yield f"    {target.model} {target.pathway}, {pace}{_named(target)}"
                yield f"      {target.url}"
                if target.session_url:
                    yield f"      then {target.session_url}"


def _named(target: Watched) -> str:
    named = f", deployment {target.deployment}" if target.deployment != target.model else ""
    return named + (f", session by {target.session_model}" if target.session_model else "")


def _costs(plan: Plan) -> tuple[str, list[str]]:
    runs = sum(target.runs_a_day for target in plan.targets)
    minutes = sum(target.runs_a_day * target.clip_seconds for target in plan.targets) / 60
    lines = [f"  {runs:,} runs, {minutes:,.1f} minutes of audio"]
    if any(target.usd_a_day is not None for target in plan.targets):
        lines.append(
            f"  about ${plan.usd_a_day:.2f}; ${plan.usd_a_day_down:.2f} if everything were down all day "
            f"(estimate by list prices of {plan.prices_as_of})"
        )
    lines += [_budget(budget) for budget in plan.budgets]
    if plan.unpriced:
        lines.append(f"  not counted, no price known: {', '.join(plan.unpriced)}; give one in [price]")
    return "What a day costs", lines


def _budget(budget: Budget) -> str:
    quiet = f"{money(budget.quiet)} of it while all is well"
    line = f"  {budget.endpoint}: at most {money(budget.usd_a_day)}, {quiet}"
    if budget.wanted > budget.quiet:
        return f"{line}: NOT ENOUGH for a quiet day ({money(budget.wanted)}); slots will be skipped"
    if budget.wanted_down > budget.usd_a_day:
        return f"{line}; not enough for a day on which everything is down ({money(budget.wanted_down)})"
    return line


def _notices(plan: Plan) -> tuple[str, list[str]]:
    rule = plan.rule.down
    words = f"{rule.bad} of {rule.of} bad over at least {duration_text(rule.span)}"
    lines = [f"  {target.key}: {_noticed(target)}" for target in plan.targets]
    lines.append(
        "  counted to the start of the run that decides; it adds its own length, "
        "and up to a minute where several targets fail at once"
    )
    return f"How fast an outage would be noticed, at the latest ({words})", lines


def _noticed(target: Watched) -> str:
    found = target.noticing
    silent = f", {duration_words(found.silent)} if nothing answers" if found.silent != found.confirmed else ""
    without = f" (without confirming runs {duration_words(found.unconfirmed)})"
    return duration_words(found.confirmed) + silent + without


def _quotas(plan: Plan) -> tuple[str, list[str]]:
    lines = [_quota(quota) for quota in plan.quotas]
    return "Whether it fits the quota, in the worst minute of a deployment", lines


def _quota(quota: QuotaForecast) -> str:
    verdict = "fits" if quota.fits else "DOES NOT FIT: slots will be skipped; raise `every` or the quota"
    line = (
        f"  {quota.endpoint}/{quota.deployment}: {quota.quiet} scheduled, {quota.down} while down, "
        f"of {quota.max_per_minute}: {verdict}"
    )
    if quota.fits and quota.wanted > quota.max_per_minute:
        line += f"; after a first failure {quota.wanted} runs are wanted, those that do not fit wait"
    return line
