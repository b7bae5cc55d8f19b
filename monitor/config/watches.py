"""The watch tables as targets: endpoint × model × pathway, each once, each of them runnable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from monitor.catalogue.models import KNOWN_MODELS
from monitor.checks.realtime_session.dialects import DIALECTS
from monitor.clips import SILENCE, load_clip, names
from monitor.config.endpoints import NOT_DEPLOYED
from monitor.config.file_model import WatchTable
from monitor.config.problems import KeyPath, Problems, kind_of, listed, nearest, shown
from monitor.config.validate import Read, read_table
from monitor.core.errors import ClipError
from monitor.core.model import Endpoint, Target
from monitor.core.pathways import PATHWAYS, pathway_named
from monitor.core.timefmt import duration_text
from monitor.providers import PROVIDERS
from monitor.providers.provider import DEFAULT_HOST_MODEL

SHORTEST = timedelta(seconds=1)
_TRANSCRIBES = next(ways.name for ways in PATHWAYS.values() if ways.only_transcribes)
_ONLY = f"its sessions transcribe: write '{_TRANSCRIBES}'"
_DEFAULTS = Target(endpoint=Endpoint(name="", provider="", url=""), model="", pathway="")
_PLAIN = ("every", "limit", "max_per_minute", "pace", "turn", "client_secret")


@dataclass(slots=True)
class _Watches:
    """What the tables are checked against, and the targets found so far with their first place."""

    endpoints: Mapping[str, Endpoint]
    declared: Sequence[str]
    directory: Path
    problems: Problems
    targets: dict[str, Target] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)


def read_watches(
    raw: object,
    endpoints: Mapping[str, Endpoint],
    declared: Sequence[str],
    *,
    directory: Path,
    problems: Problems,
) -> tuple[Target, ...]:
    """Every target in the order of the file; faults are recorded.

    *declared* names every endpoint of the file, also those that could not be read: a watch is not
    blamed for them. A clip's path counts from *directory*.
    """
    watches = _Watches(endpoints=endpoints, declared=declared, directory=directory, problems=problems)
    if raw is not None and not isinstance(raw, list):
        problems.add(("watch",), f"must be a list: write [[watch]] in two brackets, not {kind_of(raw)}")
        return ()
    for position, table in enumerate(raw or []):
        _check_endpoint(watches, position, table)
        read = read_table(WatchTable, table, ("watch", position), problems)
        if read is not None:
            _watch(watches, position, read)
    return tuple(watches.targets.values())


def _check_endpoint(watches: _Watches, position: int, raw: object) -> None:
    name = raw.get("endpoint") if isinstance(raw, Mapping) else None
    if isinstance(name, str) and name not in watches.declared:
        unknown = f"unknown endpoint {shown(name)}, {nearest(name, watches.declared)}"
        watches.problems.add(("watch", position, "endpoint"), unknown)


def _watch(watches: _Watches, position: int, read: Read[WatchTable]) -> None:
    path: KeyPath = ("watch", position)
    offered = [
        *_offered(read.table, watches),
        *_spoken(read.table, watches),
        *_minted(read.table, watches),
    ]
    faults = [*_times(read), *_twice(read.table), *_session(read.table, watches), *offered]
    clips, clip_faults = _clips(read, watches.directory)
    for key, sentence in [*faults, *clip_faults]:
        if str(key[0]) not in read.wrong:
            watches.problems.add((*path, *key), sentence)
    endpoint = watches.endpoints.get(read.table.endpoint)
    if endpoint is not None:
        _expand(watches, position, read.table, endpoint, clips)


def _expand(
    watches: _Watches, position: int, table: WatchTable, endpoint: Endpoint, clips: tuple[str, ...]
) -> None:
    for model in dict.fromkeys(table.models):
        index = table.models.index(model)
        for pathway in dict.fromkeys(table.pathways):
            if pathway not in PROVIDERS[endpoint.provider].pathways:
                continue  # told once for the pathway, not for every model
            target = _target(table, endpoint, model, pathway, clips)
            place: KeyPath = ("watch", position, "models", index)
            if endpoint.deployment(model, pathway) is None:
                where = f'endpoint.{endpoint.name}.deployment.{model}.{pathway} is "{NOT_DEPLOYED}"'
                remedy = "watch it in a [[watch]] of its own without that pathway"
                missing = f"{shown(model)} is not deployed for '{pathway}'"
                watches.problems.add(place, f"{missing} ({where}); {remedy}")
            elif target.key in watches.targets:
                first = watches.places[target.key]
                line = watches.problems.line_of(("watch", first))
                watches.problems.add(place, f"{target.key} is watched already by watch[{first}], line {line}")
            else:
                watches.targets[target.key] = target
                watches.places[target.key] = position


def _target(
    table: WatchTable, endpoint: Endpoint, model: str, pathway: str, clips: tuple[str, ...]
) -> Target:
    given = {key: getattr(table, key) for key in _PLAIN if key in table.model_fields_set}
    if PROVIDERS[endpoint.provider].is_hosted(endpoint, pathway):
        given["session_model"] = table.session_model
    if "language" in table.model_fields_set:
        given["language"] = None if table.language == "auto" else table.language
    if len(clips) > 1:
        given["clips"] = clips
    return Target(
        endpoint=endpoint, model=model, pathway=pathway, clip=clips[0], timeout=_timeout(table), **given
    )


def _timeout(table: WatchTable) -> timedelta:
    """The timeout given, else the default, shortened where runs are closer together than that."""
    return table.timeout or min(_DEFAULTS.timeout, (table.every or _DEFAULTS.every) * 4 / 5)


def _times(read: Read[WatchTable]) -> list[tuple[KeyPath, str]]:
    table, found = read.table, list[tuple[KeyPath, str]]()
    every, timeout = table.every or _DEFAULTS.every, _timeout(table)
    if every < SHORTEST:
        return [(("every",), "must be at least 1s")]
    if table.timeout and table.timeout < SHORTEST:
        found.append((("timeout",), "must be at least 1s"))
    if timeout >= every and "every" not in read.wrong:
        found.append((("timeout",), f"must be shorter than every ({duration_text(every)})"))
    if table.limit and table.limit >= timeout and not read.wrong & {"every", "timeout"}:
        found.append((("limit",), f"must be shorter than timeout ({duration_text(timeout)})"))
    return found


def _twice(table: WatchTable) -> list[tuple[KeyPath, str]]:
    return [
        ((key, index), f"{shown(value)} is in the list twice")
        for key, values in (("models", table.models), ("pathways", table.pathways))
        for index, value in enumerate(values)
        if value in values[:index]
    ]


def _offered(table: WatchTable, watches: _Watches) -> list[tuple[KeyPath, str]]:
    endpoint = watches.endpoints.get(table.endpoint)
    if endpoint is None:
        return []
    offered, found = PROVIDERS[endpoint.provider].pathways, list[tuple[KeyPath, str]]()
    for index, pathway in enumerate(table.pathways):
        if pathway not in offered:
            sentence = f"{endpoint.provider} has no pathway '{pathway}', it has {listed(offered)}"
            found.append((("pathways", index), sentence))
        elif pathway_named(pathway).is_hosted and not DIALECTS[endpoint.dialect].converses:
            sentence = f"the dialect '{endpoint.dialect}' has no pathway '{pathway}', {_ONLY}"
            found.append((("pathways", index), sentence))
    return found


def _spoken(table: WatchTable, watches: _Watches) -> list[tuple[KeyPath, str]]:
    endpoint = watches.endpoints.get(table.endpoint)
    if endpoint is None:
        return []
    needing = PROVIDERS[endpoint.provider].told_language(endpoint)
    found = [pathway for pathway in table.pathways if pathway in needing]
    if table.language != "auto" or not found:
        return []
    return [(("language",), f"'auto' is not for '{found[0]}', which must be told the language")]


def _minted(table: WatchTable, watches: _Watches) -> list[tuple[KeyPath, str]]:
    if not table.client_secret:
        return []
    others = [pathway for pathway in table.pathways if not pathway_named(pathway).only_transcribes]
    if others:
        remedy = f"watch '{others[0]}' in a [[watch]] of its own"
        return [(("client_secret",), f"is for '{_TRANSCRIBES}' only; {remedy}")]
    endpoint = watches.endpoints.get(table.endpoint)
    if endpoint is not None and not DIALECTS[endpoint.dialect].mints:
        return [(("client_secret",), f'the dialect "{endpoint.dialect}" has none; remove it')]
    return []


def _session(table: WatchTable, watches: _Watches) -> list[tuple[KeyPath, str]]:
    endpoint = watches.endpoints.get(table.endpoint)
    found: list[tuple[KeyPath, str]] = []
    host = table.session_model
    provider = PROVIDERS[endpoint.provider] if endpoint else None
    hosted = [name for name in table.pathways if provider and endpoint and provider.is_hosted(endpoint, name)]
    if provider and provider.must_name_host and hosted and not host:
        reason = f"the pathway '{hosted[0]}' runs in a session that a deployment of a realtime model hosts"
        example = f'session_model = "{DEFAULT_HOST_MODEL}"'
        found.append((("session_model",), f"is missing: {reason}, write such as {example}"))
    if host in KNOWN_MODELS and not (endpoint and host in endpoint.deployments):
        found.append((("session_model",), f"{shown(host)} is a transcription model and hosts no session"))
    asked = dict.fromkeys(pathway_named(name).host_deployed_as or name for name in hosted)
    found += [
        (("session_model",), f"{shown(host)} is not deployed for '{pathway}'")
        for pathway in asked
        if host and endpoint and endpoint.deployment(host, pathway) is None
    ]
    if table.turn == "server_vad" and endpoint and not DIALECTS[endpoint.dialect].detects_turns:
        sentence = f"the dialect '{endpoint.dialect}' has no voice detection; write turn = \"manual\""
        found.append((("turn",), sentence))
    streaming = [model for model in table.models if model in KNOWN_MODELS and KNOWN_MODELS[model].streaming]
    if streaming and table.turn == "server_vad":
        found.append((("turn",), f'{shown(streaming[0])} takes no turn detection; write turn = "manual"'))
    return found


def _clips(read: Read[WatchTable], directory: Path) -> tuple[tuple[str, ...], list[tuple[KeyPath, str]]]:
    """The clips' names, or the absolute paths of one's own, and what is wrong with them."""
    table, found = read.table, list[tuple[KeyPath, str]]()
    if table.clip and table.clips:
        found.append((("clip",), "stands beside 'clips'; name it there"))
    asked: Sequence[tuple[KeyPath, str]] = (
        [(("clips", index), name) for index, name in enumerate(table.clips)]
        if table.clips
        else [(("clip",), table.clip or names()[0])]
    )
    resolved = []
    for place, name in asked:
        clip, faults = _clip(table, name, directory)
        resolved.append(clip)
        found += [((key,) if key == "language" else place, sentence) for key, sentence in faults]
    found += [(place, f"{shown(name)} is in the list twice") for place, name in _again(asked)]
    return tuple(resolved), found


def _again(asked: Sequence[tuple[KeyPath, str]]) -> list[tuple[KeyPath, str]]:
    called = [name for _, name in asked]
    return [(place, name) for index, (place, name) in enumerate(asked) if name in called[:index]]


def _clip(table: WatchTable, name: str, directory: Path) -> tuple[str, list[tuple[str, str]]]:
    if "/" in name or "\\" in name or name.lower().endswith(".wav"):
        name = str((directory / name).resolve())
    elif name == SILENCE:
        return name, _unheard(table)
    elif name not in names():
        own = "or give the path of a WAV file"
        return name, [("clip", f"unknown clip {shown(name)}, {nearest(name, (*names(), SILENCE))} {own}")]
    try:
        clip = load_clip(name)
    except ClipError as error:
        return name, [("clip", str(error))]
    spoken = table.language or _DEFAULTS.language
    if clip.language and spoken not in {clip.language, "auto"}:
        return name, [("language", f"the clip '{clip.name}' is spoken in '{clip.language}'")]
    return name, []


def _unheard(table: WatchTable) -> list[tuple[str, str]]:
    """Silence ends no turn by itself, and gives nothing that could be answered."""
    if table.turn == "server_vad":
        return [("clip", "'silence' starts no turn of a server's voice detection; write turn = \"manual\"")]
    for pathway in table.pathways:
        if pathway_named(pathway).answers_text:
            sentence = f"'silence' gives '{pathway}' no text to send; watch that in a [[watch]] of its own"
            return [("clip", sentence)]
    return []
