"""A recording of one's own made ready for the wire: any format in, 24 kHz mono 16-bit WAV out.

Needs the `audio` extra (soundfile and soxr), which is imported only here and only when asked for.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.clips.recording import SAMPLE_RATE, SHORTEST_SECONDS, load_clip
from monitor.core.classification.normalisation import spell
from monitor.core.errors import ClipError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONGEST_SECONDS = 60.0  # what Azure's short audio takes; longer recordings cost more and tell nothing more
QUIET = 10 ** (-50 / 20)  # -50 dB of full scale: below it a recogniser hears silence
LOWEST_RATE = 4_000  # Hz; below it there is no speech, and the way up to ours takes for ever
_NAME = re.compile(r"[^\W_][\w .()+-]{0,99}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_EXTRA = "needs two more packages: pip install 'earwitness[audio]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What is said in a recording and under which terms; `text` may be empty for one without words."""

    text: str
    language: str
    licence: str
    provenance: str


def add_clip(source: Path, folder: Path, name: str, words: Words) -> Path:
    """Write NAME.wav, NAME.txt and NAME.toml (hash, language, licence) into *folder*; the WAV's path.

    Raises ClipError, with the remedy, for what cannot be read or written, is too short, too long or
    silent though it has a text, for a name that is a path, and where the name is taken.
    """
    _check_words(name, words)
    target = folder.absolute() / f"{name}.wav"
    for path in (target, target.with_suffix(".txt"), target.with_suffix(".toml")):
        if path.exists():
            raise ClipError(name, f"{path} exists; choose another --name or remove it")
    samples = _converted(source)
    _check(source, samples, words)
    wav = _encoded(samples)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        target.write_bytes(wav)
        target.with_suffix(".txt").write_text(words.text.strip() + "\n", "utf-8")
        target.with_suffix(".toml").write_text(_facts(wav, words), "utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise ClipError(name, f"{folder} cannot be written: {reason}; give another folder by --to") from error
    load_clip(str(target))
    return target


def _check_words(name: str, words: Words) -> None:
    if not _NAME.fullmatch(name):
        allowed = "up to 100 letters, digits, spaces and - _ . ( ) +, a letter or digit first"
        raise ClipError(name[:100], f"is no name for a clip: {allowed}; --to names the folder")
    if not _LANGUAGE.fullmatch(words.language):
        raise ClipError(
            name, f"the language '{words.language[:40]}' is none; write it as in ISO 639-1, like 'en'"
        )
    if words.text.strip() and not spell(words.text, words.language):
        raise ClipError(name, "the text has no words; give what is said, or --text '' where nobody speaks")


def _converted(source: Path) -> NDArray[np.float64]:
    """The samples at 24 kHz, all channels mixed into one, between -1 and 1."""
    try:
        import numpy as np  # noqa: PLC0415 - heavy, and only this command needs it
        import soundfile  # noqa: PLC0415
        import soxr  # noqa: PLC0415
    except ImportError as error:
        raise ClipError(str(source), f"adding a clip {_EXTRA} ({error.name} is missing)") from error
    try:
        told = soundfile.info(source)
        _check_length(source, told.frames, told.samplerate)
        samples, rate = soundfile.read(source, dtype="float64", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        reason = "no such file" if not source.exists() else str(error)
        raise ClipError(str(source), f"cannot be read: {reason}; WAV, FLAC, Ogg, Opus and MP3 can") from error
    if not np.isfinite(samples).all():
        raise ClipError(str(source), "damaged: it holds samples that are no numbers; export it again")
    mono = np.asarray(soxr.resample(_mixed(samples), rate, SAMPLE_RATE, quality="VHQ"))
    clipped: NDArray[np.float64] = np.clip(mono, -1.0, 1.0)
    return clipped


def _mixed(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """All channels as one; the loudest alone where together they cancel each other out."""
    mixed: NDArray[np.float64] = samples.mean(axis=1)
    if not len(mixed) or abs(mixed).max() >= QUIET:
        return mixed
    loudest: NDArray[np.float64] = samples[:, abs(samples).max(axis=0).argmax()]
    return loudest


def _check_length(source: Path, frames: int, rate: int) -> None:
    """Refuse by the file's own account what would take for ever to read."""
    if rate < LOWEST_RATE:
        raise ClipError(
            str(source), f"{rate} samples a second are no speech; at least {LOWEST_RATE} are needed"
        )
    if frames > LONGEST_SECONDS * rate:
        raise ClipError(str(source), f"{frames / rate:.0f} s long; cut out at most {LONGEST_SECONDS:.0f} s")


def _check(source: Path, samples: NDArray[np.float64], words: Words) -> None:
    if len(samples) < SHORTEST_SECONDS * SAMPLE_RATE:
        raise ClipError(str(source), "shorter than 100 ms; providers refuse to transcribe it")
    if words.text.strip() and float(abs(samples).max()) < QUIET:
        raise ClipError(str(source), "silent, though it has a text; give a louder recording, or --text ''")


def _encoded(samples: NDArray[np.float64]) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((samples * 32767).round().astype("<i2").tobytes())
    return buffer.getvalue()


def _facts(wav: bytes, words: Words) -> str:
    facts: Mapping[str, Any] = {
        "sha256": hashlib.sha256(wav).hexdigest(),
        "language": words.language,
        "licence": words.licence,
        "provenance": words.provenance,
    }
    # A JSON string is a basic TOML string too (TOML 1.0, "String").
    return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in facts.items())
