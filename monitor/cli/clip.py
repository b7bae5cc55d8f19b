"""``earwitness clip add``: a recording of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from monitor.cli.terminal import Unread, say

app = App(name="clip", help="Reference recordings of one's own.", result_action="return_value")


@app.command
def add(
    file: Path,
    *,
    text: Annotated[str, Parameter(allow_leading_hyphen=True)],
    name: str | None = None,
    language: str = "en",
    licence: str = "the operator's own",
    to: Path = Path("clips"),
    config: Unread = None,  # noqa: ARG001 - see there
) -> int:
    """Convert, check and note a recording, and say how to watch with it.

    Parameters
    ----------
    file
        Any format that soundfile reads: WAV, FLAC, Ogg, Opus, MP3.
    text
        What is said in it; empty for a recording without words, in which none may be heard.
    name
        What to call it; the file's own name where it is absent.
    language
        The language that is spoken, as ISO 639-1.
    licence
        Under which terms it may be used.
    to
        The folder to write NAME.wav, NAME.txt and NAME.toml into.

    """
    from monitor.clips.adding import Words, add_clip  # noqa: PLC0415 - brings numpy
    from monitor.clips.recording import load_clip  # noqa: PLC0415

    words = Words(text=text, language=language, licence=licence, provenance=file.name)
    path = add_clip(file, to, name or file.stem, words)
    clip = load_clip(str(path))
    say(f"{path}: {clip.seconds:.2f} s, sha256 {clip.sha256}")
    say(f'Watch with it: clip = "{to / path.name}" in a [[watch]]; the path counts from the configuration.')
    return 0
