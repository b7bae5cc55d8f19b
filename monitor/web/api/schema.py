"""What the answers look like, as JSON Schema for the OpenAPI description; it describes and computes nothing.

Every shape may gain keys: a reader ignores what it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from monitor.core.diagnosis.diagnose import Severity
from monitor.core.incidents.incident import EntryKind, IncidentKind, Phase
from monitor.core.model import Blame, Failure, Kind, Stage, State, Verdict
from monitor.core.views.routing_advice import Health

Shape = Mapping[str, Any]

_PROBLEM_TYPE = "application/problem+json"


def _text(meaning: str = "") -> dict[str, Any]:
    return {"type": "string", "description": meaning} if meaning else {"type": "string"}


def _instant(meaning: str = "") -> dict[str, Any]:
    return {**_text(meaning), "format": "date-time"}


def _number(meaning: str = "") -> dict[str, Any]:
    return {**_text(meaning), "type": "number"}


def _count(meaning: str = "") -> dict[str, Any]:
    return {**_text(meaning), "type": "integer"}


def _flag(meaning: str = "") -> dict[str, Any]:
    return {**_text(meaning), "type": "boolean"}


def _one_of(values: Any, meaning: str = "") -> dict[str, Any]:
    return {**_text(meaning), "enum": [value.value for value in values]}


def _maybe(shape: Shape) -> dict[str, Any]:
    return {"anyOf": [shape, {"type": "null"}]}


def _list(shape: Shape, meaning: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"type": "array", "items": shape}
    return {**found, "description": meaning} if meaning else found


def _map(shape: Shape, meaning: str = "") -> dict[str, Any]:
    return {**_text(meaning), "type": "object", "additionalProperties": shape}


def _object(meaning: str = "", *, may: Mapping[str, Any] | None = None, **must: Any) -> dict[str, Any]:
    keys = {name.rstrip("_"): shape for name, shape in must.items()}
    whole = {**_text(meaning), "type": "object", "properties": {**keys, **(may or {})}}
    return {**whole, "required": list(keys)}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _page(name: str, **more: Any) -> dict[str, Any]:
    following = _maybe(_text("the cursor of what follows; null at the end"))
    return _object(items=_list(_ref(name)), next=following, **more)


_SEEN = {"target": _text("endpoint/model/pathway"), "location": _text("where it was seen from")}
_NAMES = {"endpoint": _text(), "model": _text(), "pathway": _text()}
_CONJUNCTIONS = _list(_map(_text()), "one where one conjunction of facets explains everything")

PROBLEM = _object(
    "Problem details, RFC 9457",
    type=_text(),
    title=_text(),
    status=_count(),
    detail=_text("what would be right"),
    may={"errors": _list(_object(name=_text("the parameter"), reason=_text()))},
)
OUTCOME = _object(
    "One run, earwitness.outcome/1; unknown keys of an import are kept",
    schema=_text(),
    id=_text(),
    **_NAMES,
    provider=_maybe(_text()),
    region=_maybe(_text()),
    host=_maybe(_text("hash of the address and port that were asked")),
    location=_text(),
    kind=_one_of(Kind),
    every_s=_maybe(_number("the interval of its watch")),
    clip=_maybe(_text()),
    configuration=_maybe(_text("hash of all that reaches the wire")),
    slot=_instant("when it was due"),
    started_at=_instant(),
    finished_at=_instant(),
    verdict=_one_of(Verdict),
    failure=_maybe(_one_of(Failure)),
    stage=_maybe(_one_of(Stage)),
    blame=_maybe(_one_of(Blame)),
    type=_maybe(_text("the provider's own word")),
    code=_maybe(_text("the provider's own word")),
    message=_maybe(_text("the provider's own words")),
    http_status=_maybe(_count()),
    close_code=_maybe(_count()),
    timings_ms=_map(_maybe(_number())),
    wer=_maybe(_number("word error rate")),
    completeness=_maybe(_number("share of the reference's words that were not left out")),
    transcript=_maybe(_text()),
    ids=_map(_maybe(_text())),
    may={"evidence": {"type": "object", "description": "the frames of the exchange"}},
)
WINDOW = _object(
    "A stretch in which a target was down or degraded; all instants are starts of runs",
    **_SEEN,
    state=_one_of((State.DOWN, State.DEGRADED)),
    start=_instant("the first bad run"),
    start_after=_maybe(_instant("the last good run before it")),
    end=_maybe(_instant("the first good run of the closing streak")),
    end_after=_instant("the last bad run"),
    failed=_count(),
    total=_count(),
    open=_flag(),
    decided_at=_instant(),
    closed_at=_maybe(_instant()),
    first_id=_text("the first bad run's id"),
    last_id=_text("the last bad run's id"),
    may={"continues_until": _instant("a relapse until then continues the incident")},
)
GAP = _object("A stretch without runs", **_SEEN, from_=_instant(), to=_instant())
CONTROL = _object("A healthy neighbour, nearest first", **_SEEN, passed=_count(), total=_count())
SIGNATURE = _object(
    "Failed runs that say the same, ids and numbers taken out",
    **{key: _maybe(_text()) for key in ("failure", "stage", "type", "code", "message")},
    count=_count(),
    first_at=_instant(),
    first_id=_text(),
    last_at=_instant(),
    last_id=_text(),
    may={"said": _maybe(_text("the newest run's own message"))},
)
ENTRY = _object(
    "One line of a timeline",
    at=_instant(),
    kind=_one_of(EntryKind),
    text=_text(),
    author=_text(),
    may={"blame": _one_of(Blame), "severity": _one_of(Severity)},
)
MARK = _object("An outside event", id=_count(), at=_instant(), text=_text(), author=_text())
PAUSE = _object(
    "A stretch in which runs count for neither side; once, or recurring at a local time",
    id=_maybe(_count()),
    name=_text(),
    targets=_list(_text()),
    from_=_maybe(_instant()),
    until=_maybe(_instant()),
    every=_maybe(_text()),
    weekday=_maybe({"anyOf": [_text(), _count()]}),
    at=_maybe(_text()),
    duration_s=_maybe(_number()),
    zone=_maybe(_text()),
    retroactive=_maybe(_flag()),
    author=_maybe(_text()),
    entered_at=_maybe(_instant()),
    withdrawn_at=_maybe(_instant()),
)
NOTICE = _object(
    "One message owed to one channel",
    id=_text("the webhook-id"),
    channel=_text(),
    type=_text(),
    sequence=_count(),
    created_at=_instant(),
    attempts=_count(),
    sent_at=_maybe(_instant()),
    gave_up_at=_maybe(_instant()),
)
_INCIDENT_KEYS: dict[str, Any] = {
    "number": _maybe(_count("null while it is suspected")),
    "id": _text(),
    "title": _text(),
    "kind": _one_of(IncidentKind, "what is not an outage is the owner's"),
    "phase": _one_of(Phase),
    "open": _flag(),
    "severity": _one_of(Severity),
    "blame": _one_of(Blame),
    "start": _instant(),
    "end": _maybe(_instant()),
    "decided_at": _maybe(_instant("when it was called an incident")),
    "recovering_at": _maybe(_instant()),
    "resolved_at": _maybe(_instant()),
    "updated_at": _instant(),
    "least_s": _number("it lasted at least so long"),
    "most_s": _maybe(_number("and at most so long; null while its end is open")),
    "rule": {"type": "object", "description": "the rule that made it"},
    "configurations": _list(_text()),
}
_INCIDENT_MAY: dict[str, Any] = {
    "scope": _CONJUNCTIONS,
    "aliases": _CONJUNCTIONS,
    "ambiguous": _flag(),
    "alternatives": _CONJUNCTIONS,
    "affected": _list(_text(), "target keys"),
    "unaffected": _list(_ref("Control")),
    "beside": _maybe(
        {"type": "object", "description": "other targets, where no control is: failing, unknown"}
    ),
    "joined": _count("the incident that goes on with it"),
    "dismissed": _text("why it is none any more"),
    "blame_reason": _text(),
    "also_blamed": _maybe(_text("the other side, where the account's and other failures are mixed")),
    "windows": _list(_ref("Window")),
    "gaps": _list(_ref("Gap")),
    "pauses": _list(_ref("Gap"), "planned maintenance in its windows"),
    "signatures": _list(_ref("Signature")),
    "marks": _list({"type": "object"}, "outside events near its start"),
    "changes": _list({"type": "object"}, "changes of configuration near its start"),
}
INCIDENT = _object(
    "The object of replay --json and what only the store knows", may=_INCIDENT_MAY, **_INCIDENT_KEYS
)
INCIDENT_DETAILS = _object(
    "An incident with its timeline, its notices, its delays and what people say of it",
    may=_INCIDENT_MAY,
    **_INCIDENT_KEYS,
    entries=_list(_ref("Entry")),
    notices=_list(_ref("Notice")),
    delays=_maybe(
        _object(
            "null while it is not decided",
            detect_least_s=_number("from the first bad run to the decision"),
            detect_most_s=_maybe(_number("from the last good run before it to the decision")),
            notify_s=_maybe(_number("from the decision to the first notice that a channel accepted")),
        )
    ),
    people=_object(
        acknowledged=_maybe(_ref("Entry")), blame=_maybe(_ref("Entry")), severity=_maybe(_ref("Entry"))
    ),
)
TARGET = _object(
    "One target seen from one location, over the range that was asked",
    **_SEEN,
    **_NAMES,
    provider=_maybe(_text()),
    region=_maybe(_text()),
    watched=_flag(),
    every_s=_number(),
    state=_one_of(State),
    since=_maybe(_instant()),
    last_run=_maybe(_object(id=_text(), at=_instant(), verdict=_one_of(Verdict))),
    from_=_instant(),
    to=_instant(),
    uptime=_object(
        share=_maybe(_number("down time and measured time, by time and not by count")),
        text=_text(),
        coverage=_number("measured share of the period"),
        worst=_maybe(_number("if all that was not seen was bad")),
        best=_maybe(_number("if all that was not seen was good")),
        period_s=_number(),
        measured_s=_number(),
        down_s=_number(),
    ),
    runs=_map(_count()),
    latency_s=_map(_maybe(_number())),
)
PATHWAY = _object(
    "One pathway and whether to use it",
    rank=_count("1 is best"),
    target=_text(),
    **_NAMES,
    state=_one_of(State),
    health=_one_of(Health),
    healthy=_flag(),
    reason=_text(),
    age_s=_maybe(_number("age of the newest evidence")),
    max_age_s=_number("how much longer it may be relied on; 0 where it is too old"),
    last_run_at=_maybe(_instant()),
    incident=_maybe(_count()),
)
ADVICE = _object(at=_instant(), need=_maybe(_text()), healthy=_flag(), pathways=_list(_ref("Pathway")))
HEALTH = _object(
    status=_text("alive; ready or not ready"),
    may={"version": _text(), "checks": _map({"type": "object"}, "each with ok, and why not")},
)

SHAPES: Mapping[str, Shape] = {
    "Problem": PROBLEM,
    "Outcome": OUTCOME,
    "Window": WINDOW,
    "Gap": GAP,
    "Control": CONTROL,
    "Signature": SIGNATURE,
    "Entry": ENTRY,
    "Mark": MARK,
    "Pause": PAUSE,
    "Notice": NOTICE,
    "Incident": INCIDENT,
    "IncidentDetails": INCIDENT_DETAILS,
    "Target": TARGET,
    "Pathway": PATHWAY,
    "Advice": ADVICE,
    "Health": HEALTH,
}
ANSWERS: Mapping[tuple[str, str], Shape] = {
    ("get", "/api/v1/targets"): _page("Target", now=_instant(), method=_text("how uptime is counted")),
    ("get", "/api/v1/outcomes"): _page("Outcome"),
    ("get", "/api/v1/outcomes/{run_id}"): _ref("Outcome"),
    ("get", "/api/v1/windows"): _page("Window"),
    ("get", "/api/v1/incidents"): _page("Incident"),
    ("get", "/api/v1/incidents/{number}"): _ref("IncidentDetails"),
    ("get", "/api/v1/incidents/{number}/entries"): _page("Entry"),
    ("post", "/api/v1/incidents/{number}/entries"): _ref("Entry"),
    ("get", "/api/v1/marks"): _page("Mark"),
    ("post", "/api/v1/marks"): _ref("Mark"),
    ("get", "/api/v1/maintenance"): _page("Pause"),
    ("post", "/api/v1/maintenance"): _ref("Pause"),
    ("post", "/api/v1/maintenance/{row_id}/withdraw"): _ref("Pause"),
    ("get", "/api/v1/advice"): _ref("Advice"),
    ("get", "/healthz"): _ref("Health"),
    ("get", "/readyz"): _ref("Health"),
}


def describe(description: dict[str, Any]) -> dict[str, Any]:
    """The description with the shape of every JSON answer and of every problem filled in, in place."""
    description.setdefault("components", {}).setdefault("schemas", {}).update(SHAPES)
    for method, path, operation in _operations(description):
        for code, answer in operation["responses"].items():
            content = answer.get("content", {})
            if _PROBLEM_TYPE in content:
                content[_PROBLEM_TYPE] = {"schema": _ref("Problem")}
            if str(code).startswith("2") and (method, path) in ANSWERS:
                answer["content"] = {"application/json": {"schema": ANSWERS[method, path]}}
    return description


def _operations(description: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            yield method, path, operation
