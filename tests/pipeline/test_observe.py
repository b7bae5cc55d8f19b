"""One run through the spine's first part, with a scripted peer and a clock set by hand."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from monitor.core.conversation import Answer, Credential, Refused, Responded
from monitor.core.errors import SecretError, TokenRefused
from monitor.core.model import Blame, Deployment, Failure, Kind, Stage, Target, Verdict
from monitor.core.outcome_json import outcome_from_line, outcome_to_line
from monitor.pipeline.observe import Due, Observed, new_id, observe
from tests.support import realtime_events
from tests.support.fakes import FakeClock
from tests.support.scripted_transport import ScriptedTransport, broken, heard, target, uploaded

SLOT = datetime(2025, 11, 17, 8, 30, tzinfo=UTC)
LATE = timedelta(microseconds=412_345)


def due(one: Target | None = None, kind: Kind = Kind.SCHEDULED) -> Due:
    """A run of the slot."""
    return Due(target=one or target(), slot=SLOT, kind=kind, location="berlin")


async def held(transport: ScriptedTransport, one: Due | None = None) -> Observed:
    """What observing gives."""
    return await observe(one or due(), transport, now=SLOT)


async def test_a_due_run_becomes_an_outcome_with_its_slot_and_facts() -> None:
    """The outcome says what was run, when it was due, from where, with which configuration, and its words."""
    transport = ScriptedTransport(heard, FakeClock(SLOT + LATE))
    seen = await held(transport, due(kind=Kind.CONFIRMING))
    outcome, asked = seen.outcome, target()
    assert (outcome.target, outcome.location, outcome.kind) == (asked.key, "berlin", Kind.CONFIRMING)
    assert (outcome.slot, outcome.every_s) == (SLOT, 60.0)
    assert outcome.configuration == asked.configuration
    assert (outcome.verdict, outcome.transcript) == (Verdict.PASSED, realtime_events.WORDS)
    assert (outcome.clip, outcome.region, outcome.provider) == ("amiable", "swedencentral", "azure_openai")
    assert seen.evidence == {"schema": "earwitness.evidence/1", "frames": [], "number": 1}


async def test_times_are_whole_milliseconds_in_utc() -> None:
    """An outcome is equal to what its own line says of it, so that it is the same once stored."""
    berlin = timezone(timedelta(hours=1))
    transport = ScriptedTransport(heard, FakeClock((SLOT + LATE).astimezone(berlin)))
    outcome = (await held(transport)).outcome
    assert outcome.started_at.isoformat() == "2025-11-17T08:30:00.412000+00:00"
    assert outcome_from_line(outcome_to_line(outcome))[0] == outcome


async def test_the_reference_outage_is_blamed_on_the_provider() -> None:
    """A generic failed item is a failure of the server at the stage of transcription, quoted verbatim."""
    outcome = (await held(ScriptedTransport(broken, FakeClock(SLOT)))).outcome
    assert (outcome.verdict, outcome.failure, outcome.stage, outcome.blame) == (
        Verdict.FAILED,
        Failure.SERVER,
        Stage.TRANSCRIBE,
        Blame.PROVIDER,
    )
    assert (outcome.type, outcome.code) == ("server_error", None)
    assert outcome.message == f"Input transcription failed for item '{realtime_events.ITEM}'."
    assert outcome.ids["item_id"] == realtime_events.ITEM


@pytest.mark.parametrize(("quota", "failure"), [(150_000, "capacity"), (1000, "quota"), (None, "quota")])
async def test_a_quota_below_the_configured_one_is_the_providers_doing(
    quota: int | None, failure: str
) -> None:
    """A 429 that names a lower limit than the deployment was given is no quota of ours."""
    plain = target("rest")
    deployment = Deployment(model=plain.model, name="stt-prod", tokens_per_minute=quota)
    one = replace(plain, endpoint=replace(plain.endpoint, deployments={plain.model: deployment}))
    headers = (("x-ratelimit-limit-tokens", "1000"),)
    refused = Responded(at=0.2, status=429, headers=headers, body=b'{"error": {"message": "slow down"}}')
    outcome = (await held(ScriptedTransport(lambda: [refused], FakeClock(SLOT)), due(one))).outcome
    assert outcome.failure == failure


async def test_a_recording_that_is_gone_is_named_without_its_folder(tmp_path: Path) -> None:
    """Where the operator keeps recordings is nobody's business."""
    one = replace(target(), clip=str(tmp_path / "gone.wav"))
    outcome = (await held(ScriptedTransport(heard, FakeClock(SLOT)), due(one))).outcome
    assert (outcome.verdict, outcome.clip) == (Verdict.INCONCLUSIVE, "gone.wav")


async def test_the_pathway_decides_which_conversation_is_held() -> None:
    """A REST target uploads."""
    outcome = (await held(ScriptedTransport(uploaded, FakeClock(SLOT)), due(target("rest")))).outcome
    assert (outcome.verdict, outcome.pathway) == (Verdict.PASSED, "rest")


async def test_a_run_slower_than_usual_is_degraded() -> None:
    """What is usual for the clip is handed to the judgement, and what is usual for another is not."""
    one = replace(due(), usual_ms={"amiable": 1.0})
    other = replace(due(), usual_ms={"respectable": 1.0})
    assert (await held(ScriptedTransport(heard, FakeClock(SLOT)), other)).outcome.verdict is Verdict.PASSED
    assert (await held(ScriptedTransport(heard, FakeClock(SLOT)), one)).outcome.verdict is Verdict.DEGRADED


def fault_of_ours() -> Sequence[Answer]:
    """Something that nobody foresaw."""
    raise ZeroDivisionError("with sk-canary in it")


async def test_our_own_exception_is_inconclusive_and_blamed_on_the_monitor() -> None:
    """A check that breaks is never somebody's downtime, and its text, which may hold a key, is not kept."""
    seen = await held(ScriptedTransport(fault_of_ours, FakeClock(SLOT)))
    assert seen.evidence is None
    outcome = seen.outcome
    assert (outcome.verdict, outcome.failure, outcome.blame) == (
        Verdict.INCONCLUSIVE,
        Failure.MONITOR,
        Blame.MONITOR,
    )
    assert outcome.message == "the check itself failed: ZeroDivisionError"
    assert outcome.started_at == outcome.finished_at == SLOT


def no_secret() -> Sequence[Answer]:
    """A reference that gives nothing."""
    raise SecretError("env:KEY", "the variable KEY is not set")


async def test_what_we_know_to_be_wrong_on_our_side_is_said() -> None:
    """A MonitorError's own sentence is the outcome's message."""
    outcome = (await held(ScriptedTransport(no_secret, FakeClock(SLOT)))).outcome
    assert outcome.message == "env:KEY: the variable KEY is not set"
    assert outcome.verdict is Verdict.INCONCLUSIVE


async def test_a_clip_that_is_missing_keeps_the_run_from_being_sent(tmp_path: Path) -> None:
    """Without a recording nothing is asked of the provider."""
    transport = ScriptedTransport(heard, FakeClock(SLOT))
    one = replace(due(), target=replace(target(), clip=str(tmp_path / "gone.wav")))
    outcome = (await held(transport, one)).outcome
    assert transport.held == 0
    assert outcome.verdict is Verdict.INCONCLUSIVE
    assert "gone.wav: No such file" in str(outcome.message)


async def test_a_conversation_without_an_end_is_inconclusive() -> None:
    """A check that goes on asking past its deadline is our own fault."""
    transport = ScriptedTransport(heard, FakeClock(SLOT))
    transport.endless = True
    outcome = (await held(transport)).outcome
    assert (outcome.verdict, outcome.message) == (
        Verdict.INCONCLUSIVE,
        "the check did not come to an end at its deadline",
    )


async def test_a_stepped_clock_makes_the_run_inconclusive() -> None:
    """Times that cannot be trusted count for neither side."""
    transport = ScriptedTransport(broken, FakeClock(SLOT))
    transport.stepped = True
    assert (await held(transport)).outcome.verdict is Verdict.INCONCLUSIVE


async def test_a_run_during_which_we_stood_still_is_inconclusive_unless_the_provider_spoke() -> None:
    """Silence may have been ours; an item that failed in so many words did fail."""
    transport = ScriptedTransport(realtime_events.spoken, FakeClock(SLOT))
    transport.lag = 30.0
    seen = (await held(transport)).outcome
    assert (seen.verdict, seen.failure) == (Verdict.INCONCLUSIVE, Failure.MONITOR)
    assert seen.message == "our own event loop stood still for 30 s during the run"
    transport.script = broken
    assert (await held(transport)).outcome.verdict is Verdict.FAILED


async def test_a_cancelled_run_gives_no_outcome() -> None:
    """A stop of the service is no result."""

    def cancelled() -> Sequence[Answer]:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await held(ScriptedTransport(cancelled, FakeClock(SLOT)))


def test_ids_are_of_version_7_and_sort_by_time() -> None:
    """An id carries its millisecond, and two of the same millisecond differ."""
    made = [new_id(SLOT + timedelta(milliseconds=step)) for step in range(50)]
    assert made == sorted(made)
    assert {uuid.UUID(one).version for one in made} == {7}
    assert {uuid.UUID(one).variant for one in made} == {uuid.RFC_4122}
    assert int(uuid.UUID(made[0])) >> 80 == int(SLOT.timestamp() * 1000)
    assert new_id(SLOT) != new_id(SLOT)


async def test_an_answer_out_of_a_cache_is_caught_by_the_next_clip() -> None:
    """Two clips take turns, the peer says the same to both: one run passes, the other names the clip."""
    transport = ScriptedTransport(heard, FakeClock(SLOT + LATE))
    turns = replace(target(), clips=("amiable", "respectable"))
    seen = [
        (await held(transport, Due(target=turns, slot=slot, kind=Kind.SCHEDULED, location="berlin"))).outcome
        for slot in (SLOT, SLOT + turns.every)
    ]
    seen.sort(key=lambda outcome: outcome.clip or "")
    assert [outcome.clip for outcome in seen] == ["amiable", "respectable"]
    assert [outcome.failure for outcome in seen] == [None, Failure.QUALITY]
    assert "the words of the clip 'amiable'" in (seen[1].message or "")


async def test_drift_goes_with_the_outcome_and_its_line() -> None:
    """A session that names another model than the one asked for is right today, and on record."""

    def drifted() -> Sequence[Answer]:
        return [
            *realtime_events.ready()[:2],
            realtime_events.updated(model="whisper-1"),
            realtime_events.committed(),
            realtime_events.completed(),
        ]

    transport = ScriptedTransport(drifted, FakeClock(SLOT + LATE))
    outcome = (await held(transport)).outcome
    said = "the session transcribes with whisper-1, gpt-4o-transcribe was asked for"
    assert (outcome.verdict, outcome.extra) == (Verdict.PASSED, {"drift": [said]})
    assert outcome_from_line(outcome_to_line(outcome))[0] == outcome


class Refusing(ScriptedTransport):
    """A way out whose identity provider refuses, or whose token speaks for somebody without a role."""

    refusal: str | None = None

    async def ready(self, credential: Credential | None) -> None:
        """Asked before the run."""
        assert credential is not None
        assert credential.reference.startswith("entra:")
        if self.refusal:
            raise TokenRefused(self.refusal)

    def principal(self, credential: Credential | None) -> str | None:
        """Whom the token speaks for."""
        assert credential is not None
        return "oid 77aa"


def by_entra() -> Due:
    """A run that authenticates by Entra ID."""
    one = target()
    return due(replace(one, endpoint=replace(one.endpoint, auth="entra", key=None)))


async def test_a_refusal_of_the_identity_provider_is_the_accounts() -> None:
    """A failed run with its words and the remedy; no model was asked, nothing was sent."""
    transport = Refusing(heard, FakeClock(SLOT))
    transport.refusal = "Entra ID gave no token: AADSTS7000222: expired"
    seen = await held(transport, by_entra())
    outcome = seen.outcome
    assert (outcome.verdict, outcome.failure, outcome.blame) == (Verdict.FAILED, Failure.AUTH, Blame.ACCOUNT)
    assert (outcome.message or "").startswith("Entra ID gave no token: AADSTS7000222: expired [principal:")
    assert (seen.evidence, transport.held) == (None, 0)


async def test_a_refused_token_names_principal_role_and_wait() -> None:
    """The provider's words first; a refused key gets no such advice."""

    def lacking() -> Sequence[Answer]:
        body = b'{"error": {"code": "PermissionDenied", "message": "lacks the required data action"}}'
        return [Refused(at=0.1, status=401, headers=(), body=body)]

    outcome = (await held(Refusing(lacking, FakeClock(SLOT)), by_entra())).outcome
    assert outcome.failure is Failure.AUTH
    for words in ("lacks the required data action", "principal: oid 77aa", "OpenAI User", "minutes"):
        assert words in (outcome.message or "")
    by_key = (await held(ScriptedTransport(lacking, FakeClock(SLOT)))).outcome
    assert "principal" not in (by_key.message or "")
