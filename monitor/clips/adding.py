"""A recording of one's own made ready for the wire: any format in, 24 kHz mono 16-bit WAV out.

Needs the `audio` extra (soundfile and soxr), which is imported only here and only when asked for.
"""

from __future__ import annotations

import hashlib
import io
import json
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.clips.recording import LARGEST_FILE, SAMPLE_RATE, SHORTEST_SECONDS, load_clip
from monitor.core.errors import ClipError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONGEST_SECONDS = 60.0  # what Azure's short audio takes; longer recordings cost more and tell nothing more
QUIET = 10 ** (-50 / 20)  # -50 dB of full scale: below it a recogniser hears silence
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

    Raises ClipError, with the remedy, for what cannot be read, is too short, too long or silent though
    it has a text, and where the name is taken.
    """
    target = folder.absolute() / f"{name}.wav"
    if target.exists():
        raise ClipError(name, f"{target} exists; choose another --name or remove it")
    samples = _converted(source)
    _check(source, samples, words)
    wav = _encoded(samples)
    folder.mkdir(parents=True, exist_ok=True)
    target.write_bytes(wav)
    target.with_suffix(".txt").write_text(words.text.strip() + "\n", "utf-8")
    target.with_suffix(".toml").write_text(_facts(wav, words), "utf-8")
    load_clip(str(target))
    return target


def _converted(source: Path) -> NDArray[np.float64]:
    """The samples at 24 kHz, all channels mixed into one, between -1 and 1."""
    try:
        import numpy as np  # noqa: PLC0415 - heavy, and only this command needs it
        import soundfile  # noqa: PLC0415
        import soxr  # noqa: PLC0415
    except ImportError as error:
        raise ClipError(str(source), f"adding a clip {_EXTRA} ({error.name} is missing)") from error
    try:
        samples, rate = soundfile.read(source, dtype="float64", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        reason = "no such file" if not source.exists() else str(error)
        raise ClipError(str(source), f"cannot be read: {reason}; WAV, FLAC, Ogg, Opus and MP3 can") from error
    mono = np.asarray(soxr.resample(samples.mean(axis=1), rate, SAMPLE_RATE, quality="VHQ"))
    clipped: NDArray[np.float64] = np.clip(mono, -1.0, 1.0)
    return clipped


def _check(source: Path, samples: NDArray[np.float64], words: Words) -> None:
    seconds = len(samples) / SAMPLE_RATE
    if seconds < SHORTEST_SECONDS:
        raise ClipError(str(source), "shorter than 100 ms; providers refuse to transcribe it")
    if seconds > LONGEST_SECONDS or 2 * len(samples) > LARGEST_FILE:
        raise ClipError(str(source), f"{seconds:.0f} s long; cut out at most {LONGEST_SECONDS:.0f} s")
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
