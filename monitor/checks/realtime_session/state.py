"""What one realtime run has heard so far, and how it ends; it asks nothing itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from monitor.checks.realtime_session.dialects import DIALECTS, Dialect
from monitor.checks.realtime_session.events import Event
from monitor.checks.realtime_session.items import Items
from monitor.core.classification.error_bodies import bounded
from monitor.core.conversation import (
    Closed,
    Credential,
    End,
    Fault,
    FaultKind,
    Finding,
    Headers,
    ProviderError,
)
from monitor.core.model import Stage, Target

# Offsets in seconds; our own choice, several times what the live services need.
CREATED_WITHIN = UPDATED_WITHIN = 10.0
COMMITTED_WITHIN = 5.0
COMPLETED_WITHIN = ANSWERED_WITHIN = 25.0
REFUSED_WITHIN = 0.5  # where a server answers an update only to refuse it
LINGER = 1.0  # for a second utterance, where the server's voice detection decides about turns

MOST_NOTES = 20


class Ended(Exception):
    """The run is over; `finding` says how."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(finding.end)


@dataclass(slots=True, kw_only=True)
class SessionState:
    """The facts of one run; `owed` is the number of items that must be there before it is over."""

    target: Target
    url: str
    stage: Stage = Stage.HANDSHAKE
    at: float = 0.0
    is_open: bool = False
    headers: Headers = ()
    marks: dict[str, float] = field(default_factory=dict)
    ids: dict[str, str | None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    drift: list[str] = field(default_factory=list)
    items: Items = field(default_factory=Items)
    owed: int = 1
    messages: int = 0
    deltas: str = ""
    last_delta: float | None = None
    speaking: str | None = None
    credential: Credential | None = None  # in place of the endpoint's own
    opened_at: datetime | None = None
    complaint: Event | None = None
    wants_answer: bool = False
    answer: str = ""
    is_answered: bool = False
    unasked: int = 0  # responses under way that nobody asked for

    @property
    def commits_itself(self) -> bool:
        """Whether the client ends the turn, as against the server's voice detection."""
        return self.target.turn != "server_vad" and not self.dialect.listens

    @property
    def dialect(self) -> Dialect:
        """How this server holds its sessions."""
        return DIALECTS[self.target.endpoint.dialect]

    def until(self, seconds: float) -> float:
        """The offset that lies *seconds* ahead, never behind the deadline of the run."""
        return min(self.at + seconds, self.target.timeout.total_seconds())

    def say_until(self, speech_s: float, chunk_ms: int, spacing: float) -> None:
        """Mark when the last chunk with speech goes out, of chunks that begin to go out now.

        A server that listens for itself decides when the turn ended: its own word of that is no start to
        count from, for some say so only when the text is there.
        """
        self.marks["speech_end"] = self.at + int(speech_s * 1000 / chunk_ms) * spacing

    def enter(self, stage: Stage) -> Stage:
        """Go on to the next stage; what the peer complained about before explains nothing any more."""
        self.stage = stage
        self.complain(None)
        return stage

    def complain(self, error: Event | None) -> None:
        """Keep an error that names nobody, in case it explains what follows; the one before is noted."""
        if self.complaint is not None:
            known = self.complaint.error
            self.note(f"error: {known.type}, code {known.code}: {known.message}")
        self.complaint = error

    def note(self, text: str) -> None:
        """Keep a deviation, once, within bounds."""
        _keep(self.notes, text)

    def drifted(self, text: str) -> None:
        """Keep what the session says of itself against what was asked for, once, within bounds."""
        _keep(self.drift, text)

    def is_settled(self) -> bool:
        """Whether every item that is owed has its text and nobody is speaking."""
        quiet = self.commits_itself or self.speaking is None
        return quiet and len(self.items) >= self.owed and self.items.all_done

    def patience(self) -> float:
        """The offset until which to wait for the next word of the peer."""
        deadline = self.target.timeout.total_seconds()
        start = self.marks.get("commit", self.at)
        if self.is_settled():
            return min(self.marks.get("final", start) + LINGER, deadline)
        within = COMPLETED_WITHIN if len(self.items) >= self.owed else COMMITTED_WITHIN
        return min(start + within, deadline)

    def succeeded(self) -> Finding:
        """The finding of a run whose text is there; whether the words are right is judged elsewhere."""
        self.complain(None)
        transcript = self.items.transcript
        if self.deltas and self.deltas.split() != transcript.split():
            self.note("the deltas joined are not the final text")
        return self._finding(End.TEXT, stage=Stage.VERIFY, transcript=transcript)

    def heard(self, transcript: str) -> Finding:
        """The finding of a run whose text is known; whether the words are right is judged elsewhere."""
        return self._finding(End.TEXT, stage=Stage.VERIFY, transcript=transcript)

    def answered(self) -> Finding:
        """The finding of a run whose text was answered."""
        self.complain(None)
        return self._finding(End.TEXT, stage=Stage.VERIFY)

    def silent(self, missing: str) -> Ended:
        """The watchdog expired; an error that was heard meanwhile is the better explanation."""
        if self._is_explained():
            return self._complained()
        stopped = "" if self.last_delta is None else f"; the deltas stopped at {self.last_delta:.1f} s"
        return self.ended(End.SILENT, detail=f"no {missing} until {self.at:.1f} s{stopped}")

    def lost(self, closed: Closed) -> Ended:
        """The peer closed: fine once all the text is there, else explained by its last error."""
        self.is_open = False
        if self.stage in (Stage.COMMIT, Stage.TRANSCRIBE) and self.is_settled():
            self.note(f"the server closed with {closed.code} after the text")
            return Ended(self.succeeded())
        if self._is_explained():
            return self._complained(closed)
        return self.ended(End.CLOSED, closed=closed)

    def broken(self, fault: Fault) -> Ended:
        """The connection failed below the protocol."""
        self.is_open = False
        self.at = fault.at
        stage = fault.stage if self.stage is Stage.HANDSHAKE else self.stage
        return Ended(self._finding(End.FAULT, stage=stage, fault=fault.kind, detail=fault.detail))

    def _is_explained(self) -> bool:
        """Whether an error was heard that says anything at all."""
        return self.complaint is not None and self.complaint.error != ProviderError()

    def _complained(self, closed: Closed | None = None) -> Ended:
        error = self.complaint.error if self.complaint else None
        return self.ended(End.ERROR, event=self.complaint, error=error, closed=closed)

    def ended(
        self,
        end: End,
        *,
        event: Event | None = None,
        error: ProviderError | None = None,
        detail: str | None = None,
        closed: Closed | None = None,
    ) -> Ended:
        """The exception that ends the run at the stage it is in."""
        if event is not None:
            self.ids["event_id"] = event.event_id
        return Ended(self._finding(end, stage=self.stage, error=error, detail=detail, closed=closed))

    def _finding(
        self,
        end: End,
        *,
        stage: Stage,
        transcript: str | None = None,
        error: ProviderError | None = None,
        detail: str | None = None,
        closed: Closed | None = None,
        fault: FaultKind | None = None,
    ) -> Finding:
        return Finding(
            stage=stage,
            end=end,
            url=self.url,
            transcript=transcript,
            error=error,
            headers=self.headers,
            close_code=closed.code if closed else None,
            close_reason=bounded(closed.reason, 300) if closed else None,
            fault=fault,
            detail=detail,
            marks=dict(self.marks),
            ids=dict(self.ids),
            notes=tuple(self.notes),
            drift=tuple(self.drift),
        )


def _keep(known: list[str], text: str) -> None:
    kept = bounded(text, 300)
    if kept not in known and len(known) < MOST_NOTES:
        known.append(kept)
