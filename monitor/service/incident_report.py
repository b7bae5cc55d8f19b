"""Reports about an incident, put together for the command and for the pages alike."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime

from monitor import __version__
from monitor.clips import load_clip, names
from monitor.config import Settings, resolve_secret
from monitor.core.errors import ClipError, NotFound, SecretError
from monitor.core.evidence.bundle_facts import ClipFacts
from monitor.core.incidents.incident import IncidentKind
from monitor.core.model import Target
from monitor.reports import FORMATS
from monitor.store.database.engine import Database
from monitor.store.incidents.evidence import read_dossier

CLIENT = f"earwitness/{__version__}"


def report(
    database: Database,
    settings: Settings,
    kind: str,
    number: int,
    *,
    targets: Mapping[str, Target],
    now: datetime,
) -> bytes:
    """The report about incident *number* in one of the formats; NotFound where there is none.

    An incident that only the owner is told has none: nobody else could act on it.

    *targets* are those whose facts may be quoted, by key.
    """
    with database.read() as tx:
        dossier = read_dossier(
            tx,
            number,
            targets=targets,
            recordings=_recordings(targets.values()),
            client=CLIENT,
            egress=settings.monitor.egress,
            now=now,
        )
        if dossier.incident.kind is not IncidentKind.OUTAGE:
            raise NotFound(
                f"incident {number} is about this monitor itself: there is no evidence to hand over"
            )
        return FORMATS[kind](dossier, known_secrets(settings))


def known_secrets(settings: Settings) -> list[str]:
    """Every secret that the configuration refers to and that can be read now: what no report may hold."""
    found = []
    for use in settings.secrets:
        try:
            found.append(resolve_secret(use.reference, os.environ))
        except SecretError:
            continue  # what cannot be read here cannot have been used here
    return found


def _recordings(targets: Iterable[Target]) -> Mapping[str, ClipFacts]:
    """The clips that may be quoted: the shipped ones and those of the targets."""
    found = {}
    for name in {*names(), *(clip for target in targets for clip in target.rotation)}:
        try:
            clip = load_clip(name)
        except ClipError:
            continue  # the report then leaves its facts out
        found[clip.name] = ClipFacts(name=clip.name, sha256=clip.sha256, seconds=clip.seconds, text=clip.text)
    return found
