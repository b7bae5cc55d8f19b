"""What a sandbox serves and how it will break: the values of a script file, and its reading."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, cast

from monitor.core.errors import ConfigurationError
from monitor.sandbox.faults.active import ActiveFault, ActiveFaults, FaultError, parse_fault

MODELS = ("gpt-4o-transcribe", "gpt-4o-mini-transcribe", "whisper-1", "gpt-transcribe", "gpt-live-transcribe")
HOSTS = ("gpt-realtime",)
SPEECH_MODEL = "azure-speech"  # what faults call the recogniser of a speech endpoint
KEY = "sandbox-key"
Kind = Literal["azure", "openai", "speech", "compatible"]
KINDS: tuple[Kind, ...] = ("azure", "openai", "speech", "compatible")
# Of compatible servers: OpenAI's own forms, new and old, and those that have a form of their own.
DIALECTS = ("ga", "preview", "speaches", "vllm", "qwen", "together")
LONGEST = 366 * 86_400  # seconds
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedEndpoint:
    """One served resource. On Azure the names in *deployments* are deployment names.

    One of the kind ``speech`` is Azure AI Speech: it has one recogniser and neither deployments nor hosts.
    One of the kind ``compatible`` holds realtime sessions in its *dialect*.
    """

    name: str
    kind: Kind
    dialect: str = "ga"
    region: str | None = None
    deployments: Mapping[str, str] = field(default_factory=lambda: {model: model for model in MODELS})
    hosts: tuple[str, ...] = HOSTS
    key: str = field(default=KEY, repr=False)

    @property
    def converses(self) -> bool:
        """Whether a speech model can be talked to here; servers with their own dialect only transcribe."""
        return self.kind != "speech" and self.dialect in ("ga", "preview")

    @property
    def models(self) -> tuple[str, ...]:
        """What can be asked to transcribe here, by the names that faults use."""
        return (SPEECH_MODEL,) if self.kind == "speech" else tuple(self.deployments)

    @property
    def names(self) -> frozenset[str] | None:
        """What a run may call its model here, hosts included; None where any name goes, as at Speech."""
        if self.kind == "speech":
            return None
        return frozenset((*self.models, *self.deployments.values(), *self.hosts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long answers take, in seconds; the live services are two to five times slower."""

    committed: float = 0.05
    transcription: float = 0.3  # from the commit
    response: float = 0.3
    rest: float = 0.3
    empty_commit: float = 0.9


NO_LATENCY = Latency(committed=0, transcription=0, response=0, rest=0, empty_commit=0)


def _default_endpoints() -> Mapping[str, ServedEndpoint]:
    azure = ServedEndpoint(name="azure-sweden", kind="azure", region="swedencentral")
    openai = ServedEndpoint(name="openai-us", kind="openai")
    return {endpoint.name: endpoint for endpoint in (azure, openai)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Everything a sandbox is told before it starts. Times are seconds."""

    endpoints: Mapping[str, ServedEndpoint] = field(default_factory=_default_endpoints)
    latency: Latency = field(default_factory=Latency)
    faults: tuple[ActiveFault, ...] = ()
    clips: tuple[str, ...] = ()  # WAV files to recognise beside the shipped recordings
    whisper: Path | None = None  # folder of a model that recognises any speech, in place of the recordings
    ping: float = 20.0
    session: float = 3600.0

    def board(self, clock: Callable[[], datetime]) -> ActiveFaults:
        """An empty board for the faults of what is served."""
        hosts = {name: frozenset(endpoint.hosts) for name, endpoint in self.endpoints.items()}
        names = {name: endpoint.names for name, endpoint in self.endpoints.items()}
        return ActiveFaults(clock, hosts, names)


def default_script() -> Script:
    """Two endpoints, one of each vendor's ways, and no fault."""
    return Script()


def load_script(path: Path) -> Script:
    """The script in the TOML file at *path*; raises ConfigurationError with every problem found."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError([f"{path}: {error.strerror}; give the path of a readable script"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError([f"{path}: {error}"]) from error
    reading = _ScriptReader(str(path))
    script = reading.script(table)
    if reading.problems:
        raise ConfigurationError(reading.problems)
    return script


class _ScriptReader:
    """Collects problems while a script is read."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.problems: list[str] = []

    def script(self, table: Mapping[str, Any]) -> Script:
        self._check_keys("", table, ("endpoint", "latency", "fault", "clips", "whisper", "ping", "session"))
        given: dict[str, Any] = {
            "latency": self._latency(self._table("latency", table.get("latency", {}))),
            "faults": self._faults(table.get("fault", [])),
            "clips": tuple(self._texts("clips", table.get("clips", []))),
        }
        if "whisper" in table:
            given["whisper"] = Path(self._text("whisper", table["whisper"]))
        for key in ("ping", "session"):
            if key in table:
                given[key] = self._seconds(key, table[key])
        endpoints = self._table("endpoint", table.get("endpoint", {}))
        if endpoints:
            given["endpoints"] = {name: self._endpoint(name, entry) for name, entry in endpoints.items()}
        script = Script(**given)
        if not self.problems:
            self._check_faults(script)
        return script

    def _check_faults(self, script: Script) -> None:
        """Notes each fault that could never strike what the script serves."""
        board = script.board(lambda: datetime.now(UTC))
        for number, fault in enumerate(script.faults, start=1):
            try:
                board.add(fault)
            except FaultError as error:
                self._problem(f"fault {number}", str(error))

    def _endpoint(self, name: str, entry: object) -> ServedEndpoint:
        place = f"endpoint.{name}"
        table = self._table(place, entry)
        if _NAME.fullmatch(name) is None:
            self._problem(place, "a name is part of addresses: letters, digits, '.', '_' and '-'")
        self._check_keys(place, table, ("kind", "dialect", "region", "models", "deployments", "hosts", "key"))
        kind = table.get("kind")
        if kind not in KINDS:
            self._problem(f"{place}.kind", "expected 'azure', 'openai', 'speech' or 'compatible'")
        dialect = table.get("dialect", "ga")
        if dialect not in DIALECTS:
            self._problem(f"{place}.dialect", f"expected one of {', '.join(map(repr, DIALECTS))}")
        elif "dialect" in table and kind != "compatible":
            self._problem(f"{place}.dialect", 'is for kind = "compatible" only')
        given: dict[str, Any] = {
            key: self._text(f"{place}.{key}", table[key]) for key in ("region", "key") if key in table
        }
        if "hosts" in table:
            given["hosts"] = tuple(self._texts(f"{place}.hosts", table["hosts"]))
        if "models" in table or "deployments" in table:
            models = self._texts(f"{place}.models", table.get("models", []))
            deployed = self._table(f"{place}.deployments", table.get("deployments", {}))
            named = {key: self._text(f"{place}.deployments.{key}", value) for key, value in deployed.items()}
            given["deployments"] = {model: model for model in models} | named
        return ServedEndpoint(name=name, kind=cast(Kind, kind), dialect=str(dialect), **given)

    def _latency(self, table: Mapping[str, Any]) -> Latency:
        self._check_keys("latency", table, tuple(entry.name for entry in fields(Latency)))
        return Latency(
            **{
                entry.name: self._seconds(f"latency.{entry.name}", table[entry.name])
                for entry in fields(Latency)
                if entry.name in table
            }
        )

    def _faults(self, tables: object) -> tuple[ActiveFault, ...]:
        if not isinstance(tables, list):
            self._problem("fault", "expected [[fault]] tables")
            return ()
        faults = []
        for number, table in enumerate(tables, start=1):
            try:
                faults.append(parse_fault(self._table(f"fault {number}", table)))
            except FaultError as error:
                self._problem(f"fault {number}", str(error))
        return tuple(faults)

    def _check_keys(self, place: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                near = get_close_matches(key, known, n=1) or [", ".join(known)]
                self._problem(f"{place}.{key}".lstrip("."), f"unknown key, did you mean '{near[0]}'?")

    def _table(self, place: str, value: object) -> Mapping[str, Any]:
        return cast(
            Mapping[str, Any],
            self._expect(place, value, lambda given: isinstance(given, dict), "a table", {}),
        )

    def _text(self, place: str, value: object) -> str:
        return str(
            self._expect(place, value, lambda given: isinstance(given, str) and bool(given), "a text", "")
        )

    def _texts(self, place: str, value: object) -> list[str]:
        def fits(given: Any) -> bool:
            return isinstance(given, list) and all(isinstance(entry, str) and entry for entry in given)

        return list(self._expect(place, value, fits, "a list of texts", []))

    def _seconds(self, place: str, value: object) -> float:
        def fits(given: Any) -> bool:
            return isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given < LONGEST

        return float(self._expect(place, value, fits, "seconds as a number, 0 or more", 0.0))

    def _expect(self, place: str, value: Any, fits: Callable[[Any], bool], what: str, instead: Any) -> Any:
        if fits(value):
            return value
        self._problem(place, f"expected {what}")
        return instead

    def _problem(self, place: str, sentence: str) -> None:
        self.problems.append(f"{self._path}: {place}: {sentence}")
