"""The evidence bundle: a zip that anybody can verify with sha256sum, byte-identical for the same dossier."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from monitor.core.clock_offset import Offset
from monitor.core.evidence.bundle_facts import BundleFacts, QuotedRun
from monitor.core.incidents.codec import stored_incident_to_json
from monitor.core.model import Target
from monitor.core.outcome_json import outcome_to_line
from monitor.core.secret_spellings import Spellings
from monitor.core.timefmt import rfc3339
from monitor.reports import jsonl
from monitor.reports.leak_scan import needles, scan_for_leaks
from monitor.reports.ticket.reproducer import reproducer
from monitor.reports.ticket.summary import render_ticket

# The earliest time a zip can hold: the bytes depend on the incident, not on the hour they were asked for.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_CREDENTIAL_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "api-key", "cookie", "set-cookie", "ocp-apim-subscription-key"}
)
_README = """\
Evidence of incident {number}, observed by {client}.
{title}

  summary.md       the ticket: what failed, from when to when, what stayed healthy, ids to look up
  incident.json    windows, rule, scope, blame, controls, signatures, baselines, timeline
  outcomes.jsonl   every run of the affected targets and of the controls, from one interval before
                   the first window to one interval after the last (schema earwitness.outcome/1)
  frames/          the whole exchange of single runs: first and last failed, one of each further
                   signature, the last passed before, the first passed after, a healthy control
  reproduce.*      makes the failed request again, with your own key
  SHA256SUMS       checksums of all other files

Verify:  unzip {name} -d incident && cd incident && sha256sum -c SHA256SUMS

All times are UTC, and times of runs are their starts. Keys and cookies were never stored; headers
outside an allow-list are kept by name and length. The checksums prove that nothing was damaged on
the way, not that the monitor measured honestly: the provider's own request ids do that.
"""


def render(dossier: BundleFacts, secrets: Sequence[str] = ()) -> bytes:
    """The zip. Raises MonitorError, and gives none, if a member holds one of *secrets* or a credential."""
    sought = needles(secrets)
    sums: list[str] = []
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in sorted(_members(dossier).items()):
            sums.append(f"{_write(archive, name, content(), sought)}  {name}\n")
        _write(archive, "SHA256SUMS", ["".join(sums).encode()], sought)
    return target.getvalue()


def file_name(dossier: BundleFacts) -> str:
    """``incident-1.zip``."""
    return f"incident-{dossier.incident.number}.zip"


def _write(archive: zipfile.ZipFile, name: str, chunks: Iterable[bytes], sought: Sequence[Spellings]) -> str:
    """Streams the chunks, each of whole lines, into the archive and returns their SHA-256."""
    entry = zipfile.ZipInfo(name, _ZIP_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = 0o100644 << 16
    digest = hashlib.sha256()
    with archive.open(entry, "w", force_zip64=True) as member:
        for chunk in chunks:
            scan_for_leaks(name, chunk, sought)
            digest.update(chunk)
            member.write(chunk)
    return digest.hexdigest()


def _members(dossier: BundleFacts) -> Mapping[str, Callable[[], Iterable[bytes]]]:
    """What each member is called and how its bytes are made; made only when they are written."""
    members: dict[str, Callable[[], Iterable[bytes]]] = {
        "README.txt": lambda: [_readme(dossier).encode()],
        "summary.md": lambda: [render_ticket(dossier).encode()],
        "incident.json": lambda: [_canonical(_facts(dossier))],
        "outcomes.jsonl": lambda: jsonl.render(dossier.outcomes()),
    }
    for name, exhibit in _framed(dossier):
        members[name] = lambda exhibit=exhibit: [_exchange(exhibit)]  # type: ignore[misc]
    script = reproducer(dossier)
    if script is not None:
        members[script[0]] = lambda: [script[1].encode()]
    return members


def _readme(dossier: BundleFacts) -> str:
    title = " ".join(dossier.incident.title.split())[:300]
    number, client = dossier.incident.number, dossier.observer.client
    return _README.format(number=number, client=client, title=title, name=file_name(dossier))


def _framed(dossier: BundleFacts) -> Iterator[tuple[str, QuotedRun]]:
    """A file name for every chosen run once, under the first role it was chosen for."""
    seen: set[str] = set()
    for exhibit in dossier.exhibits:
        if exhibit.outcome.id not in seen:
            seen.add(exhibit.outcome.id)
            yield f"frames/{exhibit.role}-{_safe(exhibit.outcome.id)}.json", exhibit


def _safe(identity: str) -> str:
    """The id as part of a file name; what cannot stand there is replaced, and a hash keeps it apart."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", identity)[:80]
    return plain if plain == identity else f"{plain}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def _exchange(exhibit: QuotedRun) -> bytes:
    evidence = None if exhibit.evidence is None else _without_credentials(exhibit.evidence)
    contents = {"role": str(exhibit.role), "outcome": outcome_to_line(exhibit.outcome), "evidence": evidence}
    return (json.dumps(contents, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def _without_credentials(evidence: Mapping[str, Any]) -> dict[str, Any]:
    kept = dict(evidence)
    headers = evidence.get("request_headers")
    if isinstance(headers, Mapping):
        kept["request_headers"] = {
            name: value for name, value in headers.items() if str(name).lower() not in _CREDENTIAL_HEADERS
        }
    pairs = evidence.get("response_headers")
    if isinstance(pairs, Sequence):
        kept["response_headers"] = [pair for pair in pairs if str(pair[0]).lower() not in _CREDENTIAL_HEADERS]
    return kept


def _canonical(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n").encode(
        "utf-8", "replace"
    )


def _facts(dossier: BundleFacts) -> dict[str, Any]:
    incident = dossier.incident
    return {
        **stored_incident_to_json(incident),
        "schema": "earwitness.incident/1",
        "id": incident.id,
        "number": incident.number,
        "phase": str(incident.phase),
        "severity": str(incident.severity),
        "blame": str(incident.blame),
        "title": incident.title,
        "start": rfc3339(incident.start),
        "end": incident.end and rfc3339(incident.end),
        "decided": incident.opened_at and rfc3339(incident.opened_at),
        "resolved": incident.resolved_at and rfc3339(incident.resolved_at),
        "rule": dict(incident.rule),
        "configurations": list(incident.configurations),
        "coverage": dossier.coverage,
        "baselines": [
            {
                "label": str(base.period),
                "from": rfc3339(base.since),
                "to": rfc3339(base.until),
                "passed": base.passed,
                "total": base.total,
            }
            for base in dossier.baselines
        ],
        "targets": {key: _target(target) for key, target in dossier.targets.items()},
        "exhibits": [{"role": str(exhibit.role), "run": exhibit.outcome.id} for exhibit in dossier.exhibits],
        "observer": {
            "locations": list(dossier.observer.locations),
            "client": dossier.observer.client,
            "egress": dossier.observer.egress,
            "clock_offset_s": _offset(dossier.observer.clock_offset),
        },
        "timeline": [
            {"at": rfc3339(entry.at), "kind": str(entry.kind), "text": entry.text, "author": entry.author}
            for entry in dossier.entries
        ],
    }


def _offset(offset: Offset | None) -> dict[str, float] | None:
    if offset is None:
        return None
    return {"least": offset.least.total_seconds(), "most": offset.most.total_seconds()}


def _target(target: Target) -> dict[str, Any]:
    """What the configuration says of a target, without where its key is kept."""
    endpoint = target.endpoint
    known = endpoint.deployments.get(target.model)
    host = target.session_model
    return {
        "provider": endpoint.provider,
        "region": endpoint.region,
        "resource_id": endpoint.resource_id,
        "api": endpoint.api,
        "api_version": endpoint.api_version,
        "dialect": endpoint.dialect,
        "auth": endpoint.auth,
        "deployment": endpoint.deployment(target.model, target.pathway),
        "deployment_type": known.type if known else None,
        "model_version": known.version if known else None,
        "session_model": host,
        "session_deployment": host and endpoint.deployment(host, target.pathway),
        "configuration": target.configuration,
        "every_s": target.every.total_seconds(),
        "turn": target.turn,
        "pace": target.pace,
        "language": target.language,
    }
