"""What the answers look like: what the JSON functions return, and so what the API's description says.

Every shape may gain keys: a reader ignores what it does not know. A class is named like the shape that it
describes, with ``Json`` behind it: ``WindowJson`` is ``Window`` in the description.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Generic, Literal, NotRequired, TypeVar

from pydantic import Field
from typing_extensions import TypedDict

from monitor.core.diagnosis.diagnose import Severity
from monitor.core.incidents.incident import EntryKind, IncidentKind, Phase
from monitor.core.model import Blame, Failure, Kind, Stage, State, Verdict
from monitor.core.views.routing_advice import Health


def _is(meaning: str) -> Any:
    return Field(description=meaning)


_INSTANT = Field(json_schema_extra={"format": "date-time"})
Instant = Annotated[str, _INSTANT]
Conjunctions = Annotated[
    Sequence[Mapping[str, str]], _is("one where one conjunction of facets explains everything")
]
_From = TypedDict("_From", {"from": Instant})
_MaybeFrom = TypedDict("_MaybeFrom", {"from": Instant | None})


class _Seen(TypedDict):
    target: Annotated[str, _is("endpoint/model/pathway")]
    location: Annotated[str, _is("where it was seen from")]


class _Named(TypedDict):
    endpoint: str
    model: str
    pathway: str


class ParameterProblemJson(TypedDict):
    """What is wrong with one parameter."""

    name: Annotated[str, _is("the parameter")]
    reason: str


class ProblemJson(TypedDict):
    """Problem details, RFC 9457."""

    type: str
    title: str
    status: int
    detail: Annotated[str, _is("what would be right")]
    errors: NotRequired[Sequence[ParameterProblemJson]]


class OutcomeJson(_Named):
    """One run, earwitness.outcome/1; unknown keys of an import are kept."""

    schema: str
    id: str
    provider: str | None
    region: str | None
    host: Annotated[str | None, _is("hash of the address and port that were asked")]
    location: str
    kind: Kind
    every_s: Annotated[float | None, _is("the interval of its watch")]
    clip: str | None
    configuration: Annotated[str | None, _is("hash of all that reaches the wire")]
    slot: Annotated[Instant, _is("when it was due")]
    started_at: Instant
    finished_at: Instant
    verdict: Verdict
    failure: Failure | None
    stage: Stage | None
    blame: Blame | None
    type: Annotated[str | None, _is("the provider's own word")]
    code: Annotated[str | None, _is("the provider's own word")]
    message: Annotated[str | None, _is("the provider's own words")]
    http_status: int | None
    close_code: int | None
    timings_ms: Mapping[str, float | None]
    wer: Annotated[float | None, _is("word error rate")]
    completeness: Annotated[float | None, _is("share of the reference's words that were not left out")]
    transcript: str | None
    ids: Mapping[str, str | None]
    evidence: NotRequired[Annotated[Mapping[str, Any], _is("the frames of the exchange")]]


class WindowJson(_Seen):
    """A stretch in which a target was down or degraded; all instants are starts of runs."""

    state: Literal[State.DOWN, State.DEGRADED]
    start: Annotated[Instant, _is("the first bad run")]
    start_after: Annotated[Instant | None, _is("the last good run before it")]
    end: Annotated[Instant | None, _is("the first good run of the closing streak")]
    end_after: Annotated[Instant, _is("the last bad run")]
    failed: int
    total: int
    open: bool
    decided_at: Instant
    closed_at: Instant | None
    first_id: Annotated[str, _is("the first bad run's id")]
    last_id: Annotated[str, _is("the last bad run's id")]
    continues_until: NotRequired[Annotated[Instant, _is("a relapse until then continues the incident")]]
    unwatched: NotRequired[Annotated[bool, _is("it ended because its target left the configuration")]]


class GapJson(_Seen, _From):
    """A stretch without runs."""

    to: Instant


class ControlJson(_Seen):
    """A healthy neighbour, nearest first."""

    passed: int
    total: int


class SignatureJson(TypedDict):
    """Failed runs that say the same, ids and numbers taken out."""

    failure: str | None
    stage: str | None
    type: str | None
    code: str | None
    message: str | None
    count: int
    first_at: Instant
    first_id: str
    last_at: Instant
    last_id: str
    said: NotRequired[Annotated[str | None, _is("the newest run's own message")]]


class EntryJson(TypedDict):
    """One line of a timeline."""

    at: Instant
    kind: EntryKind
    text: str
    author: str
    blame: NotRequired[Blame]
    severity: NotRequired[Severity]


class MarkJson(TypedDict):
    """An outside event."""

    id: int
    at: Instant
    text: str
    author: str


class PauseJson(_MaybeFrom):
    """A stretch in which runs count for neither side; once, or recurring at a local time."""

    id: int | None
    name: str
    targets: Sequence[str]
    until: Instant | None
    every: str | None
    weekday: str | int | None
    at: str | None
    duration_s: float | None
    zone: str | None
    retroactive: bool | None
    author: str | None
    entered_at: Instant | None
    withdrawn_at: Instant | None


class NoticeJson(TypedDict):
    """One message owed to one channel."""

    id: Annotated[str, _is("the webhook-id")]
    channel: str
    type: str
    sequence: int
    created_at: Instant
    attempts: int
    sent_at: Instant | None
    gave_up_at: Instant | None


class DiagnosisJson(TypedDict, total=False):
    """What was found out about an incident, as ``replay --json`` prints it and the store keeps it."""

    scope: Conjunctions
    aliases: Conjunctions
    ambiguous: bool
    alternatives: Conjunctions
    affected: Annotated[Sequence[str], _is("target keys")]
    unaffected: Sequence[ControlJson]
    beside: Annotated[Mapping[str, Any] | None, _is("other targets, where no control is: failing, unknown")]
    joined: Annotated[int, _is("the incident that goes on with it")]
    dismissed: Annotated[str, _is("why it is none any more")]
    blame_reason: str
    also_blamed: Annotated[
        str | None, _is("the other side, where the account's and other failures are mixed")
    ]
    windows: Sequence[WindowJson]
    gaps: Sequence[GapJson]
    pauses: Annotated[Sequence[GapJson], _is("planned maintenance in its windows")]
    signatures: Sequence[SignatureJson]
    marks: Annotated[Sequence[Mapping[str, Any]], _is("outside events near its start")]
    changes: Annotated[Sequence[Mapping[str, Any]], _is("changes of configuration near its start")]


class _Life(TypedDict):
    number: Annotated[int | None, _is("null while it is suspected")]
    id: str
    title: str
    kind: Annotated[IncidentKind, _is("what is not an outage is the owner's")]
    phase: Phase
    open: bool
    severity: Severity
    blame: Blame
    start: Instant
    end: Instant | None
    decided_at: Annotated[Instant | None, _is("when it was called an incident")]
    recovering_at: Instant | None
    resolved_at: Instant | None
    updated_at: Instant
    least_s: Annotated[float, _is("it lasted at least so long")]
    most_s: Annotated[float | None, _is("and at most so long; null while its end is open")]
    rule: Annotated[Mapping[str, Any], _is("the rule that made it")]
    configurations: Sequence[str]


class IncidentJson(_Life, DiagnosisJson):
    """The object of replay --json and what only the store knows."""


class DelaysJson(TypedDict):
    """How soon it was detected and told; null while it is not decided."""

    detect_least_s: Annotated[float, _is("from the first bad run to the decision")]
    detect_most_s: Annotated[float | None, _is("from the last good run before it to the decision")]
    notify_s: Annotated[float | None, _is("from the decision to the first notice that a channel accepted")]


class PeopleJson(TypedDict):
    """What people say of it as it stands; what was computed stays in its own place."""

    acknowledged: EntryJson | None
    blame: EntryJson | None
    severity: EntryJson | None


class IncidentDetailsJson(IncidentJson):
    """An incident with its timeline, its notices, its delays and what people say of it."""

    entries: Sequence[EntryJson]
    notices: Sequence[NoticeJson]
    delays: DelaysJson | None
    people: PeopleJson


class LastRunJson(TypedDict):
    """The newest run of a target."""

    id: str
    at: Instant
    verdict: Verdict


class UptimeJson(TypedDict):
    """The figure with all that it was computed from."""

    share: Annotated[float | None, _is("down time and measured time, by time and not by count")]
    text: str
    coverage: Annotated[float, _is("measured share of the period")]
    worst: Annotated[float | None, _is("if all that was not seen was bad")]
    best: Annotated[float | None, _is("if all that was not seen was good")]
    period_s: float
    measured_s: float
    down_s: float


class TargetJson(_Seen, _Named, _From):
    """One target seen from one location, over the range that was asked."""

    provider: str | None
    region: str | None
    watched: bool
    every_s: float
    state: State
    since: Instant | None
    last_run: LastRunJson | None
    to: Instant
    uptime: UptimeJson
    runs: Mapping[str, int]
    latency_s: Mapping[str, float | None]


class PathwayJson(_Named):
    """One pathway and whether to use it."""

    rank: Annotated[int, _is("1 is best")]
    target: str
    state: State
    health: Health
    healthy: bool
    reason: str
    age_s: Annotated[float | None, _is("age of the newest evidence")]
    max_age_s: Annotated[float, _is("how much longer it may be relied on; 0 where it is too old")]
    last_run_at: Instant | None
    incident: int | None


class AdviceJson(TypedDict):
    """The pathways that serve a need, the best first."""

    at: Instant
    need: str | None
    healthy: bool
    pathways: Sequence[PathwayJson]


Next = Annotated[str | None, _is("the cursor of what follows; null at the end")]
_Item = TypeVar("_Item")


class PageJson(TypedDict, Generic[_Item]):
    """A part of a list."""

    items: Sequence[_Item]
    next: Next


class TargetsPageJson(TypedDict):
    """All targets over a range."""

    items: Sequence[TargetJson]
    next: Next
    now: Instant
    method: Annotated[str, _is("how uptime is counted")]
