"""An ear that really recognises speech, by faster-whisper with a model folder that the user names.

The library is optional and heavy: it is imported when an ear of this kind is asked for, and not before.
"""

from __future__ import annotations

import importlib
import io
import wave
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from monitor.core.errors import ConfigurationError
from monitor.sandbox.hearing.audio import RATE
from monitor.sandbox.hearing.recogniser import Heard

MODEL_FILE = "model.bin"
KEPT = 128
SHORTEST_MS = 100


class WhisperRecogniser:
    """Recognises any speech; slow, so that it is to be used away from the event loop."""

    def __init__(self, folder: Path) -> None:
        """Loads the model in *folder*; raises ConfigurationError where it or the library is missing."""
        if not (folder / MODEL_FILE).is_file():
            raise ConfigurationError(
                [f"whisper: no {MODEL_FILE} in '{folder}'; name the folder of a CTranslate2 Whisper model"]
            )
        try:
            library = importlib.import_module("faster_whisper")
        except ImportError as error:
            raise ConfigurationError(
                [f"whisper: {error.name} is not installed; run pip install 'earwitness[whisper]'"]
            ) from error
        try:
            self._model: Any = library.WhisperModel(str(folder), device="cpu", compute_type="int8")
        except (RuntimeError, ValueError, OSError) as error:
            raise ConfigurationError([f"whisper: '{folder}' cannot be loaded: {error}"]) from error
        self._recall = lru_cache(maxsize=KEPT)(self._recognise)

    def hear(self, chunks: Sequence[bytes]) -> Heard:
        """The words in *chunks*: 24 kHz mono signed 16-bit little-endian, in order, cut anywhere."""
        return self._recall(b"".join(chunks))

    def _recognise(self, pcm: bytes) -> Heard:
        if len(pcm) < SHORTEST_MS * RATE * 2 // 1000:
            return Heard(words=())
        # Silence is taken out first, since the model invents words for it.
        segments, _ = self._model.transcribe(
            _as_wav(pcm),
            beam_size=1,
            vad_filter=True,
            condition_on_previous_text=False,
            without_timestamps=True,
        )
        return Heard(words=tuple(" ".join(segment.text for segment in segments).split()))


def _as_wav(pcm: bytes) -> io.BytesIO:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, RATE, 0, "NONE", ""))
        writer.writeframes(pcm[: len(pcm) // 2 * 2])
    file.seek(0)
    return file
