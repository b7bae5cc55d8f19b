"""Pathways as records: what is true of each way in which audio becomes text.

How a check is held stands in `monitor/checks/`. Whoever else needs to know something of a pathway asks its
record, so that no name of a pathway is compared elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pathway:
    """One pathway's facts; the defaults are true of a pathway that nobody knows, such as an imported one.

    `ticket_words` stand before the model in a ticket's subject, `short` is what a sentence calls it.
    `stands_in_for` is the pathway whose need it serves besides its own. `deployed_as` is the pathway whose
    deployment it asks for where it has none of its own, `host_deployed_as` the same for the model that
    hosts its session. `effort` orders pathways by what a run costs, the cheapest first.

    A run begins with an upload, or where `opens_socket` with a WebSocket. `has_session`: a realtime session
    is held; `speaks_in_session`: the audio goes into it, as raw samples; `is_hosted`: by a speech model of
    its own. `only_transcribes`: the session has no host, and can be opened with a client secret.
    `answers_text`: the session is opened after the upload and answers its words, which is billed besides.
    `streams_text`: an upload whose text comes in parts. `names_errors`: its errors name their cause, so
    that a pass shows that the deployment exists.
    """

    name: str
    ticket_words: str | None = None
    short: str | None = None
    stands_in_for: str | None = None
    deployed_as: str | None = None
    host_deployed_as: str | None = None
    effort: int = 99
    opens_socket: bool = False
    has_session: bool = False
    speaks_in_session: bool = False
    is_hosted: bool = False
    only_transcribes: bool = False
    answers_text: bool = False
    streams_text: bool = False
    names_errors: bool = False

    @property
    def words(self) -> str:
        """What a sentence calls it."""
        return self.short or self.name.replace("_", " ")


_KNOWN = (
    Pathway(
        name="rest",
        short="REST",
        ticket_words="REST transcription with",
        effort=1,
        names_errors=True,
    ),
    Pathway(
        name="rest_stream",
        ticket_words="Streamed REST transcription with",
        stands_in_for="rest",
        deployed_as="rest",
        effort=3,
        streams_text=True,
    ),
    Pathway(
        name="realtime",
        ticket_words="Realtime input transcription with",
        effort=5,
        opens_socket=True,
        has_session=True,
        speaks_in_session=True,
        is_hosted=True,
    ),
    Pathway(
        name="realtime_transcription",
        ticket_words="Realtime transcription sessions with",
        stands_in_for="realtime",
        effort=4,
        opens_socket=True,
        has_session=True,
        speaks_in_session=True,
        only_transcribes=True,
    ),
    Pathway(
        name="dual",
        ticket_words="REST text sent into realtime sessions with",
        stands_in_for="realtime",
        deployed_as="rest",
        host_deployed_as="realtime",
        effort=7,
        has_session=True,
        is_hosted=True,
        answers_text=True,
    ),
    Pathway(
        name="speech_rest",
        ticket_words="Speech REST recognition with",
        stands_in_for="rest",
        effort=2,
    ),
    Pathway(
        name="speech_ws",
        ticket_words="Speech WebSocket recognition with",
        stands_in_for="realtime",
        effort=6,
        opens_socket=True,
    ),
)
# In the order of pages and lists.
PATHWAYS: Mapping[str, Pathway] = {pathway.name: pathway for pathway in _KNOWN}


def pathway_named(name: str) -> Pathway:
    """The record of a pathway; of a name that is not known, one that claims nothing."""
    return PATHWAYS.get(name) or Pathway(name=name)


def serving(need: str) -> Sequence[str]:
    """The pathways that serve a need: the one of that name first, then what can stand in for it."""
    return (need, *(one.name for one in PATHWAYS.values() if one.stands_in_for == need))


# The pathway that is watched beside a session, so that a failure of the model is told from the session's.
CONTROL_PATHWAY = next(one.name for one in _KNOWN if one.names_errors)
