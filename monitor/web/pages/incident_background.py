"""What stands behind an incident's diagnosis, worded: delays, baselines, and the two runs at its edge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.core.alerting.notice import Notice
from monitor.core.evidence.bundle_facts import Baseline, QuotedRun, Role
from monitor.core.evidence.first_failure import EdgeContrast, contrast
from monitor.core.incidents.incident import StoredIncident
from monitor.core.incidents.response_times import delays_of
from monitor.core.outages.uptime import Bounds
from monitor.core.timefmt import duration_words
from monitor.web.frame.components import Link, run_href


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """How soon it was noticed and told, what passed before and since, and the two runs at its edge."""

    detected: str
    told: str
    baseline: str
    edge: EdgeContrast | None
    good: Link | None
    bad: Link | None


def background(
    incident: StoredIncident,
    notices: Iterable[Notice],
    exhibits: Mapping[Role, QuotedRun],
    baselines: Sequence[Baseline],
) -> Background:
    """The background of an incident; parts of which nothing is stored are empty."""
    told_at = min((notice.sent_at for notice in notices if notice.sent_at), default=None)
    took = delays_of(incident, told_at=told_at)
    notified = None if took is None else took.notify
    good, bad = exhibits.get(Role.LAST_PASSED), exhibits.get(Role.FIRST_FAILED)
    return Background(
        detected=_range(took.detect) if took else "",
        told="" if notified is None else duration_words(notified),
        baseline="; ".join(f"{one.passed:,}/{one.total:,} {one.label}" for one in baselines if one.total),
        edge=contrast(good, bad) if good and bad else None,
        good=_link(good),
        bad=_link(bad),
    )


def _range(took: Bounds) -> str:
    least = duration_words(took.least)
    return f"{least} or more" if took.most is None else f"between {least} and {duration_words(took.most)}"


def _link(exhibit: QuotedRun | None) -> Link | None:
    if exhibit is None:
        return None
    return Link(text=f"{exhibit.outcome.started_at:%H:%M:%S} UTC", href=run_href(exhibit.outcome.id))
