"""One run of one target: the check is held, its evidence kept, and the outcome judged; nothing is stored."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

import structlog

from monitor.checks import CHECKS
from monitor.clips import Clip, load_clip
from monitor.core.classification.classify import Judgement, classify, suspect_cache
from monitor.core.classification.validity import discount_own_lag
from monitor.core.conversation import Credential
from monitor.core.errors import MonitorError, TokenRefused
from monitor.core.model import Blame, Failure, Kind, Outcome, Stage, Target, Verdict
from monitor.core.scheduling.slots import clip_at
from monitor.providers import PROVIDERS
from monitor.transport import Observation, Transport, advice

log = structlog.get_logger("observe")


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One run that is to be made. `usual_ms` is the usual time to the final text by clip."""

    target: Target
    slot: datetime
    kind: Kind
    location: str
    usual_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What one run gave: the outcome, and the evidence where anything was sent."""

    outcome: Outcome
    evidence: Mapping[str, Any] | None


async def observe(due: Due, transport: Transport, *, now: datetime) -> Observed:
    """Run the target's check once; *now* is only used where our own side fails before anything is sent.

    Never raises but for cancellation: what fails on our side is an inconclusive outcome.
    """
    try:
        clip = load_clip(clip_at(due.target, due.slot))
        seen = await _hold(due.target, clip, transport)
        judgement = suspect_cache(_judge(due, clip, seen), _others(due.target, clip), clip.language)
    except TokenRefused as error:
        return _refused(due, str(error), now)
    except MonitorError as error:
        return _unmeasured(due, str(error), now)
    except Exception as error:  # one target's run: the next one must go on, whatever this one met
        log.exception("a run failed on our side", target=due.target.key)
        return _unmeasured(due, f"the check itself failed: {type(error).__name__}", now)
    evidence = seen.evidence
    judgement = _advised(judgement, due.target, transport)
    outcome = _outcome(due, judgement, clip, evidence.started_at, evidence.finished_at)
    return Observed(outcome=outcome, evidence=evidence.document)


def new_id(now: datetime) -> str:
    """A UUIDv7 (RFC 9562, 5.7): sorts by the millisecond it was made in."""
    milliseconds = int(now.timestamp() * 1000)
    value = milliseconds << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0b11 << 62) | 0b10 << 62
    return str(uuid.UUID(int=value))


async def _hold(target: Target, clip: Clip, transport: Transport) -> Observation:
    correlation = str(uuid.uuid4())
    await transport.ready(_credential(target))
    conversation = CHECKS[target.pathway](target, clip, correlation)
    deadline = target.timeout.total_seconds()
    return await transport.run(conversation, deadline=deadline, proxy=target.endpoint.proxy)


def _credential(target: Target) -> Credential | None:
    return PROVIDERS[target.endpoint.provider].credential(target.endpoint)


def _advised(judgement: Judgement, target: Target, transport: Transport) -> Judgement:
    """A refused token tells nobody who asked: the principal, the role and the wait are named beside it."""
    if judgement.failure is not Failure.AUTH or target.endpoint.auth != "entra":
        return judgement
    said = advice(transport.principal(_credential(target)), PROVIDERS[target.endpoint.provider].role)
    return replace(judgement, message=f"{judgement.message or 'refused'} [{said}]")


def _judge(due: Due, clip: Clip, seen: Observation) -> Judgement:
    if seen.finding is None:
        raise MonitorError("the check did not come to an end at its deadline")
    judgement = classify(
        seen.finding,
        codes=PROVIDERS[due.target.endpoint.provider].codes,
        text=clip.text,
        language=clip.language,
        limit=due.target.limit,
        usual_ms=due.usual_ms.get(clip.name),
        token_limit=_token_limit(due.target),
        clock_stepped=seen.clock_stepped,
    )
    return discount_own_lag(judgement, seen.lag)


def _token_limit(target: Target) -> int | None:
    deployment = target.endpoint.deployments.get(target.model)
    return None if deployment is None else deployment.tokens_per_minute


def _others(target: Target, clip: Clip) -> Mapping[str, str]:
    """The texts of the clips that take turns with this one, by name."""
    known = [load_clip(name) for name in target.clips]
    return {other.name: other.text for other in known if other.name != clip.name}


def _outcome(
    due: Due, judgement: Judgement, clip: Clip | None, started: datetime, finished: datetime
) -> Outcome:
    target = due.target
    return Outcome(
        id=new_id(started),
        endpoint=target.endpoint.name,
        provider=target.endpoint.provider,
        region=target.endpoint.region,
        host=target.endpoint.host,
        model=target.model,
        pathway=target.pathway,
        location=due.location,
        kind=due.kind,
        every_s=target.every.total_seconds(),
        clip=clip.name if clip else PurePath(target.clip).name,
        configuration=target.configuration,
        slot=_to_milliseconds(due.slot),
        started_at=_to_milliseconds(started),
        finished_at=_to_milliseconds(max(started, finished)),
        **judgement.outcome_fields(),
    )


def _to_milliseconds(instant: datetime) -> datetime:
    """What the store and every export hold, so that an outcome is the same before and after."""
    return instant.astimezone(UTC).replace(microsecond=instant.microsecond // 1000 * 1000)


def _refused(due: Due, message: str, now: datetime) -> Observed:
    """The identity provider refused us, which no model was asked for."""
    judgement = Judgement(
        verdict=Verdict.FAILED,
        failure=Failure.AUTH,
        stage=Stage.HANDSHAKE,
        blame=Blame.ACCOUNT,
        message=f"{message} [{advice(None, PROVIDERS[due.target.endpoint.provider].role)}]",
    )
    return Observed(outcome=_outcome(due, judgement, None, now, now), evidence=None)


def _unmeasured(due: Due, message: str, now: datetime) -> Observed:
    judgement = Judgement(
        verdict=Verdict.INCONCLUSIVE,
        failure=Failure.MONITOR,
        stage=Stage.RESOLVE,
        blame=Blame.MONITOR,
        message=message,
    )
    return Observed(outcome=_outcome(due, judgement, None, now, now), evidence=None)
