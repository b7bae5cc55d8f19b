"""The faults in force: their times, whom they address, and which one applies now.

What can be asked for stands in `kinds`; how it looks on the wire is decided where it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from difflib import get_close_matches
from typing import Any

from monitor.core.errors import MonitorError
from monitor.core.timefmt import parse_instant, rfc3339
from monitor.sandbox.faults.catalogue import EXTRAS, KINDS, PATHWAYS, SESSIONS, SPEECH, FaultMoment
from monitor.sandbox.faults.payloads import BROKEN_JSON
from monitor.sandbox.model_abilities import ABILITIES

_CLOCK = re.compile(r"\d\d:\d\d(:\d\d)?Z?")


class FaultError(MonitorError, ValueError):
    """A fault that cannot be; the sentence says what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveFault:
    """One fault in force between two moments; an absent address part means all, absent times mean always."""

    fault: str
    endpoint: str | None = None
    model: str | None = None
    pathway: str | None = None
    start: datetime | time | None = None
    until: datetime | time | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""

    def is_active(self, now: datetime) -> bool:
        """Whether it is in force at *now*; clock times are UTC and hold on every day."""
        if not isinstance(self.start, time) and not isinstance(self.until, time):
            return (self.start is None or self.start <= now) and (self.until is None or now < self.until)
        moment = now.astimezone(UTC).time()
        start = self.start if isinstance(self.start, time) else time.min
        if not isinstance(self.until, time):
            return start <= moment
        if start <= self.until:
            return start <= moment < self.until
        return moment >= start or moment < self.until

    def as_json(self, now: datetime) -> dict[str, Any]:
        """The fault as the control API shows it."""
        return {
            "id": self.id,
            "endpoint": self.endpoint,
            "model": self.model,
            "pathway": self.pathway,
            "fault": self.fault,
            "from": _moment_text(self.start),
            "until": _moment_text(self.until),
            **self.extras,
            "active": self.is_active(now),
        }


def parse_fault(table: Mapping[str, Any]) -> ActiveFault:
    """The fault that a JSON object or TOML table describes; raises FaultError."""
    name = table.get("fault")
    if isinstance(name, int) and not isinstance(name, bool):
        name = str(name)  # a status may be given as the number it is
    if not isinstance(name, str) or name not in KINDS:
        raise FaultError(f"{_unknown('fault', name, KINDS)}; GET /_control/kinds says what each does")
    kind = KINDS[name]
    known = ("endpoint", "model", "pathway", "fault", "from", "until", "share", *kind.extras)
    for key in table:
        if key not in known:
            raise FaultError(_unknown(f"key of '{name}'", key, known))
    endpoint, model, pathway = (_name(key, table.get(key)) for key in ("endpoint", "model", "pathway"))
    start, until = (_moment(key, table.get(key)) for key in ("from", "until"))
    _check_span(start, until)
    extras = {key: _extra(key, table[key]) for key in ("share", *kind.extras) if key in table}
    if pathway is not None and pathway not in PATHWAYS:
        raise FaultError(_unknown("pathway", pathway, PATHWAYS))
    return ActiveFault(
        fault=name,
        endpoint=endpoint,
        model=model,
        pathway=pathway,
        start=start,
        until=until,
        extras=extras,
    )


def _unknown(what: str, given: object, known: Iterable[str]) -> str:
    names = list(known)
    near = get_close_matches(str(given), names, n=1)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    shown = "missing" if given is None else f"'{str(given)[:60]}' is unknown"
    return f"{what}: {shown}{hint}; right are: {', '.join(names)}"


def _name(key: str, value: object) -> str | None:
    if value is None or (isinstance(value, str) and value):
        return value
    raise FaultError(f"{key}: expected a name, or leave it out for all")


def _moment(key: str, value: object) -> datetime | time | None:
    if value is None or (isinstance(value, time) and value.tzinfo is None):
        return value
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    try:
        text = value if isinstance(value, str) else str(value)
        is_clock = _CLOCK.fullmatch(text) is not None
        return time.fromisoformat(text.removesuffix("Z")) if is_clock else parse_instant(text)
    except ValueError:
        raise FaultError(
            f"{key}: '{value}' is neither an instant with offset (2025-11-17T08:30:00Z)"
            " nor a clock time of every day in UTC (08:30)"
        ) from None


def _check_span(start: datetime | time | None, until: datetime | time | None) -> None:
    if start is None or until is None:
        return
    if isinstance(start, time) != isinstance(until, time):
        raise FaultError("from, until: give two instants or two clock times, not one of each")
    if isinstance(start, datetime) and isinstance(until, datetime) and until <= start:
        raise FaultError("until: must be later than from")
    if start == until:
        raise FaultError("until: must be another time of the day than from; leave both out for always")


def _extra(key: str, value: object) -> object:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    right = {
        "share": number is not None and 0 < number <= 1,
        "delay": number is not None and 0 <= number <= 86_400,
        "status": isinstance(value, int) and 400 <= value <= 599,
        "retry_after": isinstance(value, str) or number is not None,
        "retry_after_ms": number is not None and number >= 0,
        "variant": value in BROKEN_JSON if isinstance(value, str) else False,
        "close": isinstance(value, int)
        and (1000 <= value <= 1003 or 1007 <= value <= 1014 or 3000 <= value <= 4999),
        "code": value is None or isinstance(value, str),
    }
    if right.get(key, isinstance(value, str)):
        return value
    raise FaultError(f"{key}: expected {EXTRAS[key]}")


def _moment_text(moment: datetime | time | None) -> str | None:
    if moment is None:
        return None
    return moment.isoformat() if isinstance(moment, time) else rfc3339(moment)


class ActiveFaults:
    """The faults of a running sandbox. The latest that fits wins."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        hosts: Mapping[str, frozenset[str]],
        models: Mapping[str, frozenset[str] | None],
    ) -> None:
        self._clock = clock
        self._models = models  # endpoint → what a run may call its model there, None: anything
        self._hosts = hosts  # endpoint → its speech models, which a session names when it opens
        self._faults: dict[str, ActiveFault] = {}
        self._counts: dict[str, int] = {}
        self._number = 0

    def add(self, fault: ActiveFault) -> ActiveFault:
        """Puts *fault* in force and gives it its id; raises FaultError where it could never strike."""
        if fault.endpoint is not None and fault.endpoint not in self._hosts:
            raise FaultError(_unknown("endpoint", fault.endpoint, self._hosts))
        self._check_model(fault)
        if not any(self._stage(fault, pathway) for pathway in PATHWAYS):
            raise FaultError(self._why_never(fault))
        self._number += 1
        numbered = replace(fault, id=str(self._number))
        self._faults[numbered.id] = numbered
        return numbered

    def _check_model(self, fault: ActiveFault) -> None:
        places = self._models if fault.endpoint is None else (fault.endpoint,)
        names = [self._models[place] for place in places]
        served = frozenset[str]().union(*(some for some in names if some is not None))
        if fault.model is not None and None not in names and fault.model not in served:
            raise FaultError(_unknown("model", fault.model, sorted(served)))

    def remove(self, identifier: str) -> bool:
        """Ends the fault of that id; False where there is none."""
        self._counts.pop(identifier, None)
        return self._faults.pop(identifier, None) is not None

    def listed(self) -> list[ActiveFault]:
        """All faults, those not in force now too, in the order of their making."""
        return list(self._faults.values())

    def strike(
        self, stage: FaultMoment, *, endpoint: str, pathway: str, models: Iterable[str | None]
    ) -> ActiveFault | None:
        """The fault that hits this run at this stage, if any; a partial one counts its runs here."""
        if not self._faults:
            return None
        now, named = self._clock(), set(models)
        for fault in reversed(self._faults.values()):
            if (
                fault.endpoint in (None, endpoint)
                and (fault.model is None or fault.model in named)
                and self._stage(fault, pathway) is stage
                and fault.is_active(now)
                and self._is_due(fault)
            ):
                return fault
        return None

    def strike_unnamed(self) -> ActiveFault | None:
        """The fault that hits a connection which has named no endpoint, as a TLS handshake does not."""
        now = self._clock()
        for fault in reversed(self._faults.values()):
            if (
                FaultMoment.ACCEPT in KINDS[fault.fault].at.values()
                and fault.is_active(now)
                and self._is_due(fault)
            ):
                return fault
        return None

    def _is_due(self, fault: ActiveFault) -> bool:
        share = fault.extras.get("share", 1)
        count = self._counts.get(fault.id, 0)
        self._counts[fault.id] = count + 1
        return int((count + 1) * share + 1e-9) > int(count * share + 1e-9)

    def _stage(self, fault: ActiveFault, pathway: str) -> FaultMoment | None:
        """The stage at which *fault* strikes on *pathway*; None where it makes no sense there."""
        if fault.pathway not in (None, pathway):
            return None
        kind = KINDS[fault.fault]
        stage = kind.at.get(pathway)
        if pathway in SPEECH and fault.model in ABILITIES:
            return None  # a model of the other services
        named_later = stage is FaultMoment.UPGRADE and pathway in SESSIONS and fault.model is not None
        if named_later and not self._is_host(fault):
            return FaultMoment.COMMIT if kind.inside else None
        return stage

    def _is_host(self, fault: ActiveFault) -> bool:
        return any(
            fault.model in hosts for name, hosts in self._hosts.items() if fault.endpoint in (None, name)
        )

    def _why_never(self, fault: ActiveFault) -> str:
        kind, wanted = KINDS[fault.fault], fault.pathway
        if wanted is None or wanted in kind.at:
            return (
                f"'{fault.fault}' strikes when the session opens, before it names its transcription model"
                f" '{fault.model}': leave model out, or name the host model"
            )
        right = ", ".join(name for name, kind in KINDS.items() if wanted in kind.at)
        return f"'{fault.fault}' is a fault of {', '.join(kind.at)}; for {wanted} take {right}"
