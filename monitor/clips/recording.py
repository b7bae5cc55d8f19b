"""Recordings with their text, hash and licence; a recording that cannot be trusted is refused."""

from __future__ import annotations

import hashlib
import io
import tomllib
import wave
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from monitor.core.errors import ClipError

SAMPLE_RATE = 24_000  # the only PCM rate the realtime API takes
BYTES_PER_SECOND = SAMPLE_RATE * 2
LARGEST_FILE = 25_000_000  # what the transcription endpoints take in one upload
SILENCE = "silence"
SHORTEST_SECONDS = 0.1  # a shorter commit is refused as an empty buffer
_CONVERT = "convert it with: sox IN.wav -r 24000 -c 1 -b 16 OUT.wav"
_REINSTALL = "install the package again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One recording; two clips are the same where name, text and hash are.

    `name` is that of a shipped recording, or the file name of one's own: where it lies is nobody's business.

    `pcm` holds the samples alone (24 kHz, mono, signed 16-bit little-endian), `wav` the whole file.
    """

    name: str
    text: str
    language: str | None
    seconds: float
    sha256: str
    licence: str
    provenance: str
    pcm: bytes = field(compare=False, repr=False)
    wav: bytes = field(compare=False, repr=False)


@cache
def _shipped() -> Mapping[str, Mapping[str, Any]]:
    try:
        return tomllib.loads((files(__package__) / "data" / "clips.toml").read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ClipError("clips.toml", f"the list of shipped recordings: {error}; {_REINSTALL}") from error


def names() -> tuple[str, ...]:
    """The names of the shipped recordings; the first is the default."""
    return tuple(_shipped())


@lru_cache(maxsize=64)
def load_clip(name: str, *, sha256: str | None = None) -> Clip:
    """The shipped recording of that name, silence, or the WAV file at that absolute path.

    The text of a file of one's own stands in the `.txt` beside it; its hash is checked against
    *sha256*, else against the `.toml` beside it, where there is one. Raises ClipError, with the
    remedy, for a recording that is unknown, missing, altered, unreadable or in another format.
    """
    if Path(name).is_absolute():
        return _load_own(Path(name), sha256)
    if name == SILENCE:
        return silence_clip()
    facts = _shipped().get(name)
    if facts is None:
        known = ", ".join(names())
        raise ClipError(name, f"no such recording; shipped are {known}; a file needs an absolute path")
    try:
        wav = (files(__package__) / "data" / f"{name}.wav").read_bytes()
    except OSError as error:
        raise ClipError(name, f"{error.strerror or error}; {_REINSTALL}") from error
    _verify(name, wav, facts["sha256"], _REINSTALL)
    return _build(name, wav, facts)


def silence_clip(seconds: float = 2.0) -> Clip:
    """A clip of digital silence, whose text is empty: words heard in it are invented."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(bytes(2 * round(seconds * SAMPLE_RATE)))
    made = {"text": "", "licence": "none needed", "provenance": "made by Earwitness"}
    return _build(SILENCE, buffer.getvalue(), made)


def _load_own(path: Path, sha256: str | None) -> Clip:
    name = str(path)
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ClipError(name, "larger than 25 MB; providers refuse it; use a shorter recording")
        wav = path.read_bytes()
    except OSError as error:
        raise ClipError(name, f"{error.strerror or error}; give the path of a readable WAV file") from error
    noted = _own_facts(path)
    expected = sha256 or noted.get("sha256")
    if expected:
        _verify(name, wav, str(expected), "restore the file, or give its new sha256")
    facts = {"licence": "the operator's own", "provenance": path.name, **noted, "text": _own_text(path)}
    return replace(_build(name, wav, facts), name=path.name)


def _own_facts(path: Path) -> Mapping[str, Any]:
    """What was noted when the clip was added; nothing for a file that was put there by hand."""
    beside = path.with_suffix(".toml")
    try:
        return tomllib.loads(beside.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ClipError(
            str(path), f"{beside} cannot be read: {error}; remove it or add the clip again"
        ) from error


def _own_text(path: Path) -> str:
    beside = path.with_suffix(".txt")
    try:
        return beside.read_text("utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        remedy = f"write what is said in it, as UTF-8, to {beside}"
        raise ClipError(str(path), f"its text cannot be read ({error}); {remedy}") from error


def _verify(name: str, wav: bytes, expected: str, remedy: str) -> None:
    found = hashlib.sha256(wav).hexdigest()
    if found != expected.strip().lower():
        raise ClipError(name, f"altered: its sha256 is {found}, expected {expected}; {remedy}")


def _build(name: str, wav: bytes, facts: Mapping[str, Any]) -> Clip:
    pcm = _samples(name, wav)
    return Clip(
        name=name,
        text=facts["text"],
        language=facts.get("language"),
        seconds=len(pcm) / BYTES_PER_SECOND,
        sha256=hashlib.sha256(wav).hexdigest(),
        licence=facts["licence"],
        provenance=facts["provenance"],
        pcm=pcm,
        wav=wav,
    )


def _samples(name: str, wav: bytes) -> bytes:
    try:
        with wave.open(io.BytesIO(wav)) as file:
            shape = (file.getframerate(), file.getnchannels(), 8 * file.getsampwidth())
            declared = file.getnframes()
            pcm: bytes = file.readframes(declared)
    except (wave.Error, EOFError) as error:
        raise ClipError(name, f"no PCM WAV file ({error or 'it ends too early'}); {_CONVERT}") from error
    if shape != (SAMPLE_RATE, 1, 16):
        found = "{} Hz, {} channel(s), {} bit".format(*shape)
        raise ClipError(name, f"24000 Hz, mono, 16 bit is needed, this is {found}; {_CONVERT}")
    if len(pcm) != 2 * declared:
        raise ClipError(name, f"cut short: {len(pcm) // 2} of {declared} samples are there; {_CONVERT}")
    if len(pcm) < SHORTEST_SECONDS * BYTES_PER_SECOND:
        raise ClipError(name, "shorter than 100 ms; providers refuse to transcribe it")
    return pcm
