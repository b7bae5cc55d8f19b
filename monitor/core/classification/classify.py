"""Evidence to judgement: the verdict on one run, and on failure its failure, stage and first blame.

Pure: the same finding gives the same judgement. The first blame rests on this run alone; history and
neighbours refine it elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import Any

from monitor.core.classification.causes import (
    quoted_names,
    quoted_status,
    status_in_code,
    status_of_close,
)
from monitor.core.classification.error_bodies import bounded, text_of
from monitor.core.classification.failure_rules import (
    LAST_RESORT,
    NAMED,
    NUMBERED,
    SPOKEN,
    Clues,
    FailureClass,
    class_of_code,
    class_of_status,
    first_match,
)
from monitor.core.classification.word_error_rate import DEGRADES, PASSES, Accuracy, score
from monitor.core.conversation import End, FaultKind, Finding, ProviderError
from monitor.core.model import Blame, Failure, Stage, Verdict

TRANSCRIPT_BYTES = 8192
SLOW_FACTOR = 3  # slower than this many times the target's usual latency is degraded

# What each class is called in an outcome: failure, verdict, first blame.
MEANING: Mapping[FailureClass, tuple[Failure, Verdict, Blame]] = {
    FailureClass.NETWORK: (Failure.CONNECT, Verdict.FAILED, Blame.UNKNOWN),  # refined by fault and stage
    FailureClass.AUTH: (Failure.AUTH, Verdict.FAILED, Blame.ACCOUNT),
    FailureClass.CONFIG: (Failure.CONFIG, Verdict.FAILED, Blame.ACCOUNT),
    FailureClass.QUOTA: (Failure.QUOTA, Verdict.FAILED, Blame.ACCOUNT),
    FailureClass.CAPACITY: (Failure.CAPACITY, Verdict.FAILED, Blame.PROVIDER),
    FailureClass.PROVIDER: (Failure.SERVER, Verdict.FAILED, Blame.PROVIDER),
    FailureClass.SILENT: (Failure.SILENT, Verdict.FAILED, Blame.PROVIDER),
    FailureClass.CONTENT: (Failure.CONTENT, Verdict.FAILED, Blame.PROVIDER),
    FailureClass.AUDIO: (Failure.AUDIO, Verdict.INCONCLUSIVE, Blame.MONITOR),
    FailureClass.UNINTELLIGIBLE: (Failure.QUALITY, Verdict.FAILED, Blame.PROVIDER),
    FailureClass.LIFECYCLE: (Failure.LIFECYCLE, Verdict.INCONCLUSIVE, Blame.MONITOR),
    FailureClass.HANDSHAKE: (Failure.HANDSHAKE, Verdict.FAILED, Blame.UNKNOWN),
    FailureClass.PROTOCOL: (Failure.PROTOCOL, Verdict.FAILED, Blame.UNKNOWN),
    FailureClass.MONITOR: (Failure.MONITOR, Verdict.INCONCLUSIVE, Blame.MONITOR),
    FailureClass.UNKNOWN: (Failure.UNKNOWN, Verdict.FAILED, Blame.UNKNOWN),
}

_BY_FAULT = {
    FaultKind.NAME: Failure.DNS,
    FaultKind.REFUSED: Failure.CONNECT,
    FaultKind.UNREACHABLE: Failure.CONNECT,
    FaultKind.CERTIFICATE: Failure.TLS,
    FaultKind.TLS: Failure.TLS,
}
_BY_STAGE = {Stage.RESOLVE: Failure.DNS, Stage.TLS: Failure.TLS}
_HOST = re.compile(r"(?:[a-zA-Z]{1,10}:)?//([^/?#]*)")
# What servers say of a refused upgrade, and what it may mean: Starlette answers so to all three.
_DENIALS = ("", "forbidden")
_DENIED = "the key, the path, or a parameter of the address such as model or intent is not accepted"
_BEFORE_HTTP = (Stage.RESOLVE, Stage.CONNECT, Stage.TLS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a run means; all fields but `rule` are those of an outcome under the same names.

    `extra` holds `drift`: what the peer's own account of the session says against what was asked for.
    `rule` is the number of the classifier's rule that decided: 0 for a provider's own code or our own
    side, None for a run that passed.
    """

    verdict: Verdict
    failure: Failure | None = None
    stage: Stage | None = None
    blame: Blame | None = None
    type: str | None = None
    code: str | None = None
    message: str | None = None
    http_status: int | None = None
    close_code: int | None = None
    wer: float | None = None
    completeness: float | None = None
    transcript: str | None = None
    timings_ms: Mapping[str, float | None] = field(default_factory=dict)
    ids: Mapping[str, str | None] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    rule: int | None = None

    def outcome_fields(self) -> dict[str, Any]:
        """The keyword arguments that this judgement contributes to an `Outcome`."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "rule"}


def classify(
    finding: Finding,
    *,
    codes: Mapping[str, FailureClass],
    text: str,
    language: str | None = "en",
    limit: timedelta | None = None,
    usual_ms: float | None = None,
    token_limit: int | None = None,
    clock_stepped: bool = False,
) -> Judgement:
    """The judgement of one run against what the clip says (`text`; empty for a silent clip).

    `codes` are the provider's own; `limit` and `usual_ms` (what is usual for target and clip)
    bound the time to the final text; `token_limit` is the limit that the operator configured;
    `clock_stepped` says that the wall clock jumped during the run, which then measured nothing.
    """
    if clock_stepped:
        return _failed(finding, FailureClass.MONITOR, 0, "the wall clock was stepped during the run")
    if finding.end is End.TEXT and finding.transcript is not None:
        heard = score(finding.transcript, text, language)
        return _judge_words(finding, heard, _slowness(finding, limit, usual_ms))
    number, what = _class_of(finding, codes, token_limit)
    return _failed(finding, what, number)


def suspect_cache(judgement: Judgement, others: Mapping[str, str], language: str | None) -> Judgement:
    """The judgement, which names the clip whose words came back in place of those that were sent.

    *others* are the texts of the clips that take turns with the one of this run, by name.
    """
    said, wer = judgement.transcript, judgement.wer
    if judgement.failure is not Failure.QUALITY or not said or wer is None or wer <= DEGRADES:
        return judgement
    for name, text in others.items():
        if text and score(said, text, language).wer <= PASSES:
            told = f"these are the words of the clip '{name}', out of a cache or of another run"
            return replace(judgement, message=bounded(f"{told}; {judgement.message}"))
    return judgement


def timings_of(finding: Finding) -> dict[str, float | None]:
    """Milliseconds, as outcomes keep them; those of the text count from our commit.

    Where the server's ear ends the turn there is none: they count from the end of the speech that was sent.
    """
    marks = finding.marks
    start = marks.get("speech_end", marks.get("commit", 0.0))
    timings: dict[str, float | None] = {}
    for name in ("connect", "ready"):
        timings[name] = _milliseconds(marks.get(name), 0.0)
    for name in ("first_text", "final"):
        timings[name] = _milliseconds(marks.get(name), start)
    return timings


def _milliseconds(mark: float | None, start: float) -> float | None:
    return None if mark is None else round(max(0.0, mark - start) * 1000, 1)


def _class_of(
    finding: Finding, codes: Mapping[str, FailureClass], token_limit: int | None
) -> tuple[int, FailureClass]:
    """The number of the first rule that matches, and its class."""
    below = _below_the_protocol(finding)
    if below is not None:
        return 1, below
    clues = _clues(finding, token_limit)
    rule = first_match(SPOKEN, clues)
    if rule is not None:
        return rule.number, rule.then
    own = class_of_code(codes, clues)
    if own is not None:
        return 0, own
    rule = first_match((*NAMED, *NUMBERED), clues)
    if rule is not None:
        return rule.number, rule.then
    own = class_of_status(codes, clues)
    if own is not None:
        return 0, own
    if finding.end is End.UNANSWERED:
        return 14, FailureClass.UNINTELLIGIBLE
    if finding.end is End.SILENT or finding.fault is FaultKind.TIMEOUT:
        return 13, FailureClass.SILENT
    if finding.end in (End.CLOSED, End.FAULT) and _has_answered(finding):
        return 12, FailureClass.PROVIDER
    rule = first_match(LAST_RESORT, clues)
    return (15, rule.then) if rule else (15, _otherwise(finding))


def _otherwise(finding: Finding) -> FailureClass:
    if finding.end is End.MALFORMED:
        return FailureClass.PROTOCOL
    return FailureClass.HANDSHAKE if finding.end is End.REFUSED else FailureClass.UNKNOWN


def _below_the_protocol(finding: Finding) -> FailureClass | None:
    """Rule 1: what happened before any word of the peer; None where it spoke or the rule is another."""
    if finding.fault is FaultKind.MONITOR:
        return FailureClass.MONITOR
    if finding.fault in (FaultKind.PROTOCOL, FaultKind.TOO_LARGE):
        return FailureClass.PROTOCOL
    if finding.error is not None or _has_answered(finding):
        return None
    if finding.fault is FaultKind.TIMEOUT and finding.stage not in _BEFORE_HTTP:
        return None
    lost = finding.end is End.CLOSED and finding.close_code in (1006, 1015)
    return FailureClass.NETWORK if lost or finding.fault is not None else None


def _has_answered(finding: Finding) -> bool:
    """Whether the peer had begun to work for us: a session, a status, or a body that broke off."""
    return (
        "ready" in finding.marks
        or "created" in finding.marks
        or finding.http_status is not None
        or finding.stage is Stage.RESPOND
    )


def _clues(finding: Finding, token_limit: int | None) -> Clues:
    error = finding.error or _error_in_reason(finding.close_reason) or ProviderError()
    said = " ".join(filter(None, (error.message, finding.close_reason)))
    words = " ".join(said.lower().split())
    status = _innermost_status(finding, error, words)
    return Clues(
        status=status,
        caused=status is not None and status != finding.http_status,
        close=finding.close_code,
        type=error.type.lower() if error.type else None,
        code=_name_in_code(error.code),
        param=error.param.lower() if error.param else None,
        words=words,
        quoted=quoted_names(words),
        url=finding.url or "",
        item=finding.end is End.ITEM_FAILED,
        response=finding.end is End.UNANSWERED and finding.error is not None,
        explained=any((error.type, error.code, error.param)) or _is_json(finding),
        refused=finding.end is End.REFUSED,
        lowered=_is_lowered(finding, token_limit),
    )


def _innermost_status(finding: Finding, error: ProviderError, words: str) -> int | None:
    """The status nearest to the cause: a gateway's own stands outside, what its upstream said inside."""
    own = finding.http_status
    told = quoted_status(words, own) or status_in_code(error.code) or own
    return told or status_of_close(finding.close_code)


def _name_in_code(code: str | None) -> str | None:
    """The code in lower case; one that is a status is no name."""
    return code.lower() if code and status_in_code(code) is None else None


def _error_in_reason(reason: str | None) -> ProviderError | None:
    """OpenAI gives ``type.code`` as the reason of a close, also where the `error` event was lost."""
    kind, dot, code = (reason or "").partition(".")
    if not dot or not f"{kind}{code}".replace("_", "").isalnum():
        return None
    return ProviderError(type=kind, code=code)


def _is_json(finding: Finding) -> bool:
    kind = next((value for name, value in finding.headers if name.lower() == "content-type"), "")
    return finding.error is not None and "json" in kind.lower()


def _is_lowered(finding: Finding, token_limit: int | None) -> bool:
    if token_limit is None:
        return False
    headers = {name.lower(): value for name, value in finding.headers}
    effective = headers.get("x-ratelimit-limit-tokens", "").strip()
    return effective.isdecimal() and len(effective) < 18 and int(effective) < token_limit


def _failed(finding: Finding, what: FailureClass, number: int, message: str | None = None) -> Judgement:
    failure, verdict, blame = MEANING[what]
    if what is FailureClass.NETWORK:
        failure = _network_failure(finding)
    error = finding.error or _error_in_reason(finding.close_reason) or ProviderError()
    return Judgement(
        verdict=verdict,
        failure=failure,
        stage=finding.stage,
        blame=blame,
        type=text_of(error.type),
        code=text_of(error.code),
        message=message or _message(finding, error),
        transcript=_transcript(finding),
        rule=number,
        **_facts(finding),
    )


def _network_failure(finding: Finding) -> Failure:
    by_stage = _BY_STAGE.get(finding.stage, Failure.CONNECT)
    return _BY_FAULT.get(finding.fault, by_stage) if finding.fault else by_stage


def _message(finding: Finding, error: ProviderError) -> str | None:
    said = error.message or finding.detail or finding.close_reason
    if finding.end is End.REFUSED and finding.http_status == 403 and (said or "").lower() in _DENIALS:
        said = f"HTTP status 403 refused the upgrade{f' with the word {said}' if said else ''}: {_DENIED}"
    if not said and finding.http_status is not None:
        said = f"HTTP status {finding.http_status} {_redirected(finding) or 'without an explanation'}"
    if not said and finding.close_code is not None:
        said = f"closed with code {finding.close_code} without a reason"
    if not said and finding.end in (End.ERROR, End.ITEM_FAILED):
        said = "an error came that says nothing"
    return bounded(_of_step(finding, said)) if said else None


def _redirected(finding: Finding) -> str | None:
    """Where a redirect points, its host only: the rest of an address may hold a secret."""
    where = next((value for name, value in finding.headers if name.lower() == "location"), None)
    if where is None or not 300 <= (finding.http_status or 0) < 400:
        return None
    found = _HOST.match(where)
    host = found[1].rpartition("@")[2] if found else ""
    return f"points to {bounded(host, 200) or 'another path'}, redirects are not followed"


def _of_step(finding: Finding, said: str) -> str:
    return f"{finding.step}: {said}" if finding.step else said


def _transcript(finding: Finding) -> str | None:
    return None if finding.transcript is None else bounded(finding.transcript, TRANSCRIPT_BYTES)


def _facts(finding: Finding) -> dict[str, Any]:
    """What every judgement carries over from the finding, bounded."""
    return {
        "http_status": finding.http_status,
        "close_code": finding.close_code,
        "timings_ms": timings_of(finding),
        "ids": {name: text_of(value) for name, value in finding.ids.items()},
        "extra": {"drift": list(finding.drift)} if finding.drift else {},
    }


def _slowness(finding: Finding, limit: timedelta | None, usual_ms: float | None) -> str | None:
    """Why the run was slow, in a sentence; None where it was not."""
    final = timings_of(finding)["final"]
    if final is None:
        return None
    if limit is not None and final > limit.total_seconds() * 1000:
        return f"the final text took {final / 1000:.1f} s, over the limit of {limit.total_seconds():g} s"
    if usual_ms and final > SLOW_FACTOR * usual_ms:
        usual = f"{SLOW_FACTOR} × the usual {usual_ms / 1000:.1f} s"
        return f"the final text took {final / 1000:.1f} s, over {usual}"
    return None


def _judge_words(finding: Finding, heard: Accuracy, slowness: str | None) -> Judgement:
    wrong = heard.wer > PASSES or (heard.reference > 0 and heard.said == 0)
    failed = wrong and (heard.wer > DEGRADES or heard.said == 0 or heard.reference == 0)
    verdict = Verdict.FAILED if failed else Verdict.DEGRADED if wrong or slowness else Verdict.PASSED
    blamed = None if verdict is Verdict.PASSED else Blame.PROVIDER
    said = _of_step(finding, _mishearing(heard)) if wrong else None
    return Judgement(
        verdict=verdict,
        failure=Failure.QUALITY if wrong else None,
        stage=Stage.VERIFY if wrong else Stage.TRANSCRIBE if slowness else None,
        blame=blamed,
        message="; ".join(filter(None, (said, slowness))) or None,
        wer=round(heard.wer, 4),
        completeness=round(heard.completeness, 4),
        transcript=_transcript(finding),
        rule=14 if wrong else None,
        **_facts(finding),
    )


def _mishearing(heard: Accuracy) -> str:
    if heard.reference == 0:
        return f"{heard.said} words were heard in silence"
    if heard.said == 0:
        return f"no words came back, {heard.reference} were expected"
    return (
        f"word error rate {heard.wer:.2f}: of {heard.reference} words {heard.hits} right, "
        f"{heard.substitutions} wrong, {heard.deletions} missing, {heard.insertions} added"
    )
