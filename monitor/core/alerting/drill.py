"""Notices that rehearse an alert, marked DRILL: the real text and link form with nothing broken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from monitor.core.alerting.message import compose_body
from monitor.core.alerting.model_retirement import Retirement, compose
from monitor.core.alerting.notice import Notice, NoticeKind, notice_id
from monitor.core.alerting.storage_loss import compose_storage
from monitor.core.alerting.wording import Latest, MessageFacts, MessageSettings, link
from monitor.core.diagnosis.diagnose import Control, Severity, Signature
from monitor.core.diagnosis.scope import NOWHERE
from monitor.core.incidents.incident import Diagnosis, Phase, StoredIncident
from monitor.core.model import Blame, Cell, State, split_target
from monitor.core.outages.rule import Rule
from monitor.core.outages.windows import Window
from monitor.core.timefmt import rfc3339

_PHASES = {NoticeKind.RECOVERING: Phase.RECOVERING, NoticeKind.RESOLVED: Phase.RESOLVED}


def drill_notice(
    kind: NoticeKind, channel: str, now: datetime, sample: StoredIncident, *, voice: MessageSettings
) -> Notice:
    """The notice of that kind about *sample* (one of `sample_incident`), marked DRILL; never stored."""
    identity = notice_id(f"drill {rfc3339(now)}", channel, kind, 1)
    notice = Notice(
        id=identity, channel=channel, incident_id=None, kind=kind, sequence=1, created_at=now, due_at=now
    )
    if kind is NoticeKind.TEST:
        return replace(notice, body=_test_body(channel, now, voice))
    if kind is NoticeKind.RETIREMENT:
        return replace(notice, body=_retirement_body(sample, now, voice))
    if kind in {NoticeKind.STORAGE_LOST, NoticeKind.STORAGE_BACK}:
        since, reason = now - timedelta(minutes=3), "the database cannot be reached"
        body = compose_storage(kind, since=since, reason=reason, now=now, voice=voice, drill=True)
        return replace(notice, body=body)
    seen = Latest(last_pass=now - timedelta(seconds=8), healthy=True)
    latest = {near.cell: seen for near in sample.diagnosis.unaffected}
    latest |= {window.cell: Latest(passed=5, total=5) for window in sample.diagnosis.windows}
    told = (3, 3) if kind is NoticeKind.UPDATED else (None, None)
    telling = MessageFacts(
        incident=sample, now=now, voice=voice, latest=latest, told_failed=told[0], told_total=told[1]
    )
    return replace(notice, body=compose_body(kind, telling, 1, drill=True))


def sample_incident(
    kind: NoticeKind,
    now: datetime,
    affected: Cell,
    controls: Sequence[Cell],
    *,
    region: str | None,
    number: int,
) -> StoredIncident:
    """An invented incident of the reference kind about a real cell, in the phase that *kind* tells of."""
    phase = _PHASES.get(kind, Phase.OPEN)
    runs = 63 if kind is NoticeKind.UPDATED else 3 if kind is NoticeKind.OPENED else 30
    last = now - timedelta(minutes=0 if phase is Phase.OPEN else 6 if phase is Phase.RECOVERING else 30)
    start, end = (
        last - timedelta(minutes=runs - 1),
        None if phase is Phase.OPEN else last + timedelta(minutes=1),
    )
    subject = " · ".join(part for part in (affected.model, affected.pathway, region) if part)
    return StoredIncident(
        id=f"drill-{number}",
        number=number,
        phase=phase,
        severity=Severity.MAJOR,
        blame=Blame.PROVIDER,
        title=f"{subject} down since {start:%H:%M:%S} UTC.",
        start=start,
        end=end,
        opened_at=start + timedelta(minutes=2),
        recovering_at=end,
        resolved_at=now if phase is Phase.RESOLVED else None,
        updated_at=now,
        rule={},
        configurations=(),
        diagnosis=_diagnosis(affected, controls, subject, start=start, last=last, end=end, runs=runs),
    )


def _diagnosis(
    affected: Cell,
    controls: Sequence[Cell],
    subject: str,
    *,
    start: datetime,
    last: datetime,
    end: datetime | None,
    runs: int,
) -> Diagnosis:
    minute = timedelta(minutes=1)
    window = Window(
        cell=affected,
        state=State.DOWN,
        start=start,
        start_after=start - minute,
        end=end,
        end_after=last,
        failed=runs,
        total=runs,
        open=end is None,
        decided_at=start + 2 * minute,
        closed_at=end and end + 4 * minute,
        continues_until=last + Rule().down.merge,
        first_id="drill-first",
        last_id="drill-last",
    )
    signature = Signature(
        failure="server",
        stage="transcribe",
        type="server_error",
        code=None,
        message=None,
        count=runs,
        first_at=start,
        first_id=window.first_id,
        last_at=last,
        last_id=window.last_id,
    )
    where = {"model": affected.model, "pathway": affected.pathway}
    return Diagnosis(
        subject=subject,
        blame_reason="same configuration passed 1,440/1,440 in 24 h; no change recorded",
        scope=replace(NOWHERE, conjunctions=(where,)),
        affected=(affected.target,),
        unaffected=tuple(Control(cell=cell, passed=runs, total=runs) for cell in controls),
        windows=(window,),
        signatures=(signature,),
    )


def _retirement_body(sample: StoredIncident, now: datetime, voice: MessageSettings) -> dict[str, Any]:
    """The end, in 30 days, of the model that the sample is about."""
    (target,) = sample.diagnosis.affected
    _, model, _ = split_target(target)
    ending = Retirement(
        model=model, day=(now + timedelta(days=30)).date(), successor="its successor", targets=(target,)
    )
    return compose(ending, 2, now=now, voice=voice, drill=True)


def _test_body(channel: str, now: datetime, voice: MessageSettings) -> dict[str, Any]:
    address = link(voice, None)
    text = f"Earwitness can reach this channel ({channel}). Nothing is broken; this is a test."
    return {
        "type": NoticeKind.TEST.value,
        "timestamp": rfc3339(now),
        "data": {
            "title": "DRILL: test of this channel",
            "text": f"DRILL, nothing is broken: {text}" + (f" {address}" if address else ""),
            "link": address,
            "sequence": 1,
            "drill": True,
        },
    }
