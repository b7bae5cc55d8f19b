"""What a check-up found, in remarks with remedies, from what was looked at elsewhere; it looks at nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any

from monitor.core.classification.remedies import REMEDIES, SLOWNESS
from monitor.core.clock_offset import OFFSET_LIMIT, offset_in
from monitor.core.model import Failure, Outcome, Stage, Target, Verdict
from monitor.core.sanitize import one_line
from monitor.core.scheduling.attention import quota_key
from monitor.core.timefmt import duration_words, rfc3339
from monitor.core.views.latency import latency_text

SCHEMA = "earwitness.doctor/1"
SOON = timedelta(days=21)  # a certificate that ends sooner is worth a word: most are renewed a month ahead
_NOT_TOLD = frozenset({Failure.DNS, Failure.CONNECT, Failure.TLS, Failure.MONITOR})  # nothing about the key

_BY_PROXY = "Look at proxy in [network], and ask whoever runs it whether it lets this host through."


class Level(StrEnum):
    """How bad a remark is."""

    FINE = "fine"
    NOTE = "note"  # worth knowing; nothing is broken
    PROBLEM = "problem"  # on the target's side, or between us and it
    FAULT = "fault"  # our own


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorFinding:
    """One thing that was looked at: `area` is ``monitor`` or an endpoint's name."""

    area: str
    subject: str
    level: Level
    said: str
    remedy: str | None = None


def exit_code(remarks: Iterable[DoctorFinding]) -> int:
    """0 where nothing is broken, 1 for a problem of a target, 2 for a fault of our own."""
    levels = {remark.level for remark in remarks}
    if Level.FAULT in levels:
        return 2
    return 1 if Level.PROBLEM in levels else 0


def cheapest(targets: Iterable[Target]) -> Sequence[Target]:
    """The fewest runs, by the cheapest pathways, that ask every deployment and every host model once."""
    chosen: dict[str, Target] = {}
    asked: set[tuple[str, str]] = set()
    hosts: set[tuple[str, str]] = set()
    for target in sorted(targets, key=lambda target: target.ways.effort):
        host = (target.endpoint.name, target.session_model or "")
        is_new_host = target.session_model is not None and host not in hosts
        if quota_key(target) not in asked or is_new_host:
            chosen[target.key] = target
            asked.add(quota_key(target))
            hosts.add(host)
    return list(chosen.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How far a host was reached; `failure` None where a connection stood."""

    host: str
    stage: Stage
    seconds: float
    failure: Failure | None = None
    detail: str | None = None
    tls: str | None = None
    certificate_ends: datetime | None = None
    by_proxy: bool = False


def of_host(area: str, reached: Reached, now: datetime) -> Iterator[DoctorFinding]:
    """DNS, TCP and TLS of one host, as far as it went."""
    stages = {Stage.RESOLVE: "DNS", Stage.CONNECT: "TCP", Stage.TLS: "TLS"}
    passed = list(stages)
    passed = passed[: passed.index(reached.stage) + (reached.failure is None)]
    if passed:
        names = ", ".join(stages[stage] for stage in passed)
        spent = f" in {reached.seconds * 1000:.0f} ms" if reached.failure is None else ""
        yield DoctorFinding(area=area, subject=reached.host, level=Level.FINE, said=f"{names}: fine{spent}")
    if reached.failure is not None:
        ours = reached.failure is Failure.MONITOR
        detail = one_line(reached.detail or "", 200)
        yield DoctorFinding(
            area=area,
            subject=reached.host,
            level=Level.FAULT if ours else Level.PROBLEM,
            said=f"{stages[reached.stage]} fails: {detail}",
            remedy=_BY_PROXY if reached.by_proxy else REMEDIES[reached.failure].do,
        )
    if reached.certificate_ends is not None:
        yield _certificate(area, reached, reached.certificate_ends - now)


def _certificate(area: str, reached: Reached, left: timedelta) -> DoctorFinding:
    said = f"{reached.tls}, the certificate is valid for {left.days} more days"
    if left > SOON:
        return DoctorFinding(area=area, subject=reached.host, level=Level.FINE, said=said)
    remedy = "Whoever runs the host must renew it; afterwards nothing needs to be done here."
    return DoctorFinding(area=area, subject=reached.host, level=Level.NOTE, said=said, remedy=remedy)


def of_run(target: Target, outcome: Outcome, document: Mapping[str, Any] | None) -> Iterator[DoctorFinding]:
    """Authentication, the deployment, the time to the first word, and what the answer says of our clock."""
    area, subject = target.endpoint.name, f"{quota_key(target)[1]} by {target.pathway}"
    if outcome.failure is not Failure.AUTH and outcome.failure not in _NOT_TOLD:
        accepted = "no key is asked for" if target.endpoint.auth == "none" else "accepted"
        yield DoctorFinding(area=area, subject="authentication", level=Level.FINE, said=accepted)
    yield _judged(area, subject, outcome)
    first = first_answer(document or {})
    if first is not None:
        said = f"the first answer came after {latency_text(first)}"
        yield DoctorFinding(area=area, subject=subject, level=Level.FINE, said=said)
    yield from _clock(area, document or {})


def _judged(area: str, subject: str, outcome: Outcome) -> DoctorFinding:
    if outcome.verdict is Verdict.PASSED:
        return DoctorFinding(area=area, subject=subject, level=Level.FINE, said="hears the words of the clip")
    if outcome.failure is None:
        said = "hears the words, and slowly"
        return DoctorFinding(area=area, subject=subject, level=Level.NOTE, said=said, remedy=SLOWNESS.do)
    where = f" at {outcome.stage}" if outcome.stage else ""
    told = ", ".join(part for part in (outcome.type, outcome.code, outcome.message) if part)
    return DoctorFinding(
        area=area,
        subject="authentication" if outcome.failure is Failure.AUTH else subject,
        level=Level.FAULT if outcome.verdict is Verdict.INCONCLUSIVE else Level.PROBLEM,
        said=f"{outcome.failure}{where}: {one_line(told, 300)}",
        remedy=REMEDIES[outcome.failure].do,
    )


def first_answer(document: Mapping[str, Any]) -> float | None:
    """Milliseconds to the peer's first word, from a run's evidence."""
    frames = document.get("frames", ())
    times = [frame["at"] for frame in frames if frame.get("dir") == "in" and "at" in frame]
    return min(times) * 1000 if times else None


def _clock(area: str, document: Mapping[str, Any]) -> Iterator[DoctorFinding]:
    offset = offset_in(document)
    if offset is None:
        return
    surely = offset.surely
    if abs(surely) <= OFFSET_LIMIT:
        yield DoctorFinding(area=area, subject="clock", level=Level.FINE, said="ours and the server's agree")
        return
    way = "ahead of" if surely > timedelta(0) else "behind"
    yield DoctorFinding(
        area=area,
        subject="clock",
        level=Level.NOTE,
        said=f"ours is at least {duration_words(abs(surely))} {way} the server's",
        remedy="Let the machine's clock be synchronised (NTP): times in tickets and alerts rest on it.",
    )


def unique(remarks: Iterable[DoctorFinding]) -> Sequence[DoctorFinding]:
    """The remarks without repetitions, each endpoint's together, in the order of first mention."""
    once = list(dict.fromkeys(remarks))
    areas = list(dict.fromkeys(remark.area for remark in once))
    return sorted(once, key=lambda remark: areas.index(remark.area))


_MARKS = {Level.FINE: "ok   ", Level.NOTE: "note ", Level.PROBLEM: "FAIL ", Level.FAULT: "FAULT"}


def render(remarks: Sequence[DoctorFinding]) -> str:
    """Remarks as lines for people, each that is not fine with its remedy below it."""
    lines: list[str] = []
    for area, group in groupby(remarks, key=lambda remark: remark.area):
        lines.append(area)
        for remark in group:
            lines.append(f"  {_MARKS[remark.level]} {remark.subject}: {remark.said}")
            if remark.remedy:
                lines.append(f"        {remark.remedy}")
    return "\n".join(lines)


def to_json(remarks: Sequence[DoctorFinding], now: datetime) -> dict[str, Any]:
    """Remarks as one object (``earwitness.doctor/1``)."""
    return {
        "schema": SCHEMA,
        "at": rfc3339(now),
        "exit_code": exit_code(remarks),
        "remarks": [
            {
                "area": remark.area,
                "subject": remark.subject,
                "level": remark.level.value,
                "said": remark.said,
                "remedy": remark.remedy,
            }
            for remark in remarks
        ],
    }
