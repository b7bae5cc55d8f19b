"""Trouble planted from a seed: what is watched, what goes wrong when, and what the machine goes through.

A day has six stretches of four hours. Trouble begins early in a stretch and ends so soon that all of it is
over, and told to be over, before the next one begins; then nothing explains anything but what was planted.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tests.soak.planted import Disturbance, Planted
from tests.soak.scenario import Plan, Watch

STRETCH = timedelta(hours=4)
QUIET = STRETCH - timedelta(minutes=20)
MODELS = ("gpt-4o-transcribe", "whisper-1", "gpt-4o-mini-transcribe", "gpt-transcribe")
ENDPOINTS = ("oa-us", "az-se", "az-us", "oa-eu", "az-jp")
REGIONS = {"oa-us": "us", "oa-eu": "eu", "az-se": "swedencentral", "az-us": "eastus2", "az-jp": "japaneast"}
CHANNELS = {"oncall": ["down", "degraded"], "owner": ["account", "monitor"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that is done to the service or its machine."""

    at: datetime
    what: str  # restart, kill, suspend, clock, stall, reconfigure, away
    length: timedelta = timedelta(0)
    plan: Plan | None = None


@dataclass(slots=True, kw_only=True)
class Script:
    """What a seed gives."""

    seed: int
    start: datetime
    end: datetime
    plan: Plan
    planted: list[Planted] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    current: Plan | None = None  # what is configured at the point that was reached

    def disturbances(self) -> Iterator[Disturbance]:
        """The acts, as the judge may know of them."""
        for act in self.acts:
            end = act.at + max(act.length, timedelta(seconds=30))
            channel = "oncall" if act.what == "away" else None
            yield Disturbance(what=act.what, start=act.at, end=end, channel=channel)


def provider_of(endpoint: str) -> str:
    """Whose it is."""
    return "openai" if endpoint.startswith("oa-") else "azure_openai"


def watched(targets: int) -> Plan:
    """About so many targets: most every five minutes, some each minute, one every 20 seconds.

    Five are four at one endpoint each minute and one at another every half an hour, without control hosts:
    little is known of what lies between.
    """
    if targets <= 5:
        return _sparse()
    endpoints = ENDPOINTS if targets >= 20 else ENDPOINTS[:3]
    models = MODELS[: max(2, min(len(MODELS), targets // (2 * len(endpoints))))]
    watches = [
        Watch(endpoint=endpoint, models=_without(models, endpoint, endpoints)) for endpoint in endpoints
    ]
    watches.append(Watch(endpoint=endpoints[1], models=models[1:2], every="1m", more="max_per_minute = 12"))
    watches.append(
        Watch(
            endpoint=endpoints[2],
            models=models[1:2],
            pathways=("rest",),
            every="20s",
            more="max_per_minute = 12",
        )
    )
    if targets >= 40:
        watches += [
            Watch(endpoint=endpoint, models=models[::2], pathways=("realtime_transcription",))
            for endpoint in endpoints
        ]
    # With a limit: what is usual is not known in the first hours.
    watches = [replace(one, more=f'limit = "8s"\n{one.more}') for one in watches]
    return Plan(watches=watches, channels=CHANNELS, endpoints={name: _table(name) for name in endpoints})


def _sparse() -> Plan:
    watches = [
        Watch(endpoint="oa-us", models=MODELS[:2], every="1m", more='limit = "8s"'),
        Watch(endpoint="az-se", models=MODELS[:1], pathways=("rest",), every="30m", more='limit = "8s"'),
    ]
    endpoints = {one.endpoint: _table(one.endpoint) for one in watches}
    return Plan(watches=watches, channels=CHANNELS, endpoints=endpoints, control_hosts=())


def _without(models: Sequence[str], endpoint: str, endpoints: Sequence[str]) -> Sequence[str]:
    """The second model of two endpoints has a closer interval of its own."""
    return [model for model in models if model != models[1] or endpoint not in endpoints[1:3]]


def _table(endpoint: str) -> str:
    region = f'region = "{REGIONS[endpoint]}"\n'
    if provider_of(endpoint) == "openai":
        return region
    return f'provider = "azure_openai"\nurl = "https://{endpoint}.openai.azure.com"\n{region}'


def keys(plan: Plan) -> list[str]:
    """Every target that is watched."""
    return [
        f"{one.endpoint}/{model}/{pathway}"
        for one in plan.watches
        for model in one.models
        for pathway in one.pathways
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A part of what is watched, and what it is called."""

    targets: Sequence[str]
    scope: dict[str, str]


class Ground:
    """Where trouble may be planted."""

    def __init__(self, plan: Plan, rng: random.Random) -> None:
        self.keys, self._rng = keys(plan), rng

    def cell(self) -> Place:
        """One target."""
        key = self._rng.choice(self.keys)
        return Place(
            targets=[key], scope=dict(zip(("endpoint", "model", "pathway"), key.split("/"), strict=True))
        )

    def part(self, facet: str) -> Place:
        """All targets of one endpoint, model, pathway or provider."""
        value = self._rng.choice(sorted({self._value(key, facet) for key in self.keys}))
        return Place(
            targets=[key for key in self.keys if self._value(key, facet) == value], scope={facet: value}
        )

    def deployment(self) -> Place:
        """All pathways of one model at one endpoint."""
        endpoint, model, _ = self._rng.choice(self.keys).split("/")
        mine = [key for key in self.keys if key.startswith(f"{endpoint}/{model}/")]
        return Place(targets=mine, scope={"endpoint": endpoint, "model": model})

    @staticmethod
    def _value(key: str, facet: str) -> str:
        endpoint, model, pathway = key.split("/")
        known = {"endpoint": endpoint, "model": model, "pathway": pathway, "provider": provider_of(endpoint)}
        return known[facet]


Choose = Callable[[Ground], Place]


def _cell(ground: Ground) -> Place:
    return ground.cell()


def _deployment(ground: Ground) -> Place:
    return ground.deployment()


def _part(facet: str) -> Choose:
    return lambda ground: ground.part(facet)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of trouble, as it may be drawn."""

    name: str
    where: Choose
    how: str
    share: float = 1.0
    retry_after: int | None = None
    most: int | None = None
    blame: str = "provider"


KINDS: Sequence[Kind] = (
    Kind(name="cell", where=_cell, how="server"),
    Kind(name="endpoint", where=_part("endpoint"), how="unavailable"),
    Kind(name="pathway", where=_part("pathway"), how="closed"),
    Kind(name="model", where=_part("model"), how="server"),
    Kind(name="provider", where=_part("provider"), how="unavailable"),
    Kind(name="refused", where=_part("endpoint"), how="refused"),
    Kind(name="retry-after", where=_deployment, how="unavailable", retry_after=120),
    Kind(name="quota", where=_deployment, how="quota", blame="account"),
    Kind(name="quota asks", where=_deployment, how="quota", retry_after=300, blame="account"),
    Kind(name="billing", where=_part("endpoint"), how="billing", blame="account"),
    Kind(name="key", where=_part("endpoint"), how="key", blame="account"),
    Kind(name="silence", where=_cell, how="silent"),
    Kind(name="words", where=_cell, how="words"),
    Kind(name="empty", where=_deployment, how="empty"),
    Kind(name="slow", where=_cell, how="slow"),
    Kind(name="partial", where=_cell, how="server", share=0.15),
    Kind(name="partial", where=_cell, how="server", share=0.3),
    Kind(name="partial", where=_part("endpoint"), how="server", share=0.6),
)


def make_script(
    seed: int, *, days: float, targets: int, start: datetime, kinds: Collection[str] = ()
) -> Script:
    """Return what a seed plants: the same for the same seed, length, size and *kinds* (none: all of them)."""
    rng = random.Random(seed)
    plan = watched(targets)
    script = Script(seed=seed, start=start, end=start + timedelta(days=days), plan=plan, current=plan)
    bag: list[Kind | str] = []
    for number in range(int(timedelta(days=days) / STRETCH)):
        if not bag:
            every: list[Kind | str] = [*KINDS, *SPECIAL]
            bag = [kind for kind in every if not kinds or _name(kind) in kinds]
            rng.shuffle(bag)
        _plant(script, bag.pop(), start + number * STRETCH, rng)
    planned = "\n".join(_maintenances(script))
    script.plan = replace(script.plan, more=planned)
    script.acts = [
        act if act.plan is None else replace(act, plan=replace(act.plan, more=planned)) for act in script.acts
    ]
    script.acts.sort(key=lambda act: act.at)
    return script


def _name(kind: Kind | str) -> str:
    return kind.name if isinstance(kind, Kind) else kind


def _plant(script: Script, kind: Kind | str, begin: datetime, rng: random.Random) -> None:
    at = begin + timedelta(minutes=20, seconds=rng.uniform(0, 900))
    end = at + timedelta(minutes=rng.randint(25, 55))
    assert script.current is not None
    ground = Ground(script.current, rng)
    if isinstance(kind, Kind):
        _add(script, kind, kind.where(ground), at, end)
    else:
        SPECIAL[kind](Scene(script=script, ground=ground, at=at, end=end, quiet=begin + QUIET, rng=rng))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Where a special kind of trouble is planted: from `at` to `end`; nothing else goes on at `quiet`."""

    script: Script
    ground: Ground
    at: datetime
    end: datetime
    quiet: datetime
    rng: random.Random

    def add(self, name: str, place: Place, how: str = "server", **more: Any) -> None:
        """Plant it, from `at` to `end` unless something else is said."""
        at, end = more.pop("at", self.at), more.pop("end", self.end)
        _add(self.script, Kind(name=name, where=_cell, how=how, **more), place, at, end)

    def act(
        self, what: str, at: datetime, length: timedelta = timedelta(0), plan: Plan | None = None
    ) -> None:
        """Do something to the service or its machine."""
        self.script.acts.append(Act(at=at, what=what, length=length, plan=plan))


def _two(scene: Scene) -> None:
    one = _part("provider")(scene.ground)
    other = scene.rng.choice([key for key in scene.ground.keys if key not in one.targets])
    scene.add("two", one, "unavailable")
    later = scene.at + timedelta(seconds=scene.rng.uniform(0, 60))
    scene.add("two", Place(targets=[other], scope=_named(other)), "words", at=later)


def _blip(scene: Scene) -> None:
    scene.add("blip", scene.ground.cell(), end=scene.at + timedelta(seconds=20))


def _beside(scene: Scene) -> None:
    """An endpoint refuses connections, and one connect somewhere else fails while it does."""
    place = scene.ground.part("endpoint")
    scene.add("beside", place, "refused")
    other = scene.rng.choice([key for key in scene.ground.keys if key not in place.targets])
    at = scene.at + timedelta(minutes=5)
    scene.add("blip", Place(targets=[other], scope=_named(other)), "refused", most=1, at=at)


def _network(scene: Scene) -> None:
    everything = Place(targets=scene.ground.keys, scope={})
    end = scene.at + timedelta(minutes=12)
    scene.add("network", everything, "unreachable", blame="network", end=end)


def _maintenance(scene: Scene) -> None:
    scene.add("maintenance", scene.ground.part("endpoint"), "unavailable")


def _added(scene: Scene) -> None:
    """A target joins in the quiet; from then on trouble may meet it too."""
    assert scene.script.current is not None
    scene.add("added", scene.ground.cell())
    watches = scene.script.current.watches
    endpoint = watches[0].endpoint
    model = f"added-{len(watches)}"
    more = Watch(endpoint=endpoint, models=(model,), pathways=("rest",), more='limit = "8s"')
    scene.script.current = replace(scene.script.current, watches=[*watches, more])
    scene.act("reconfigure", scene.quiet, plan=scene.script.current)


def _removed(scene: Scene) -> None:
    """A target leaves while it fails: nobody is to speak of it for ever."""
    assert scene.script.current is not None
    watches = list(scene.script.current.watches)
    leaving = watches[0].models[0]
    rest = replace(watches[0], models=[model for model in watches[0].models if model != leaving])
    kept = [rest, *watches[1:]] if rest.models else watches
    mine = [key for key in scene.ground.keys if key.startswith(f"{watches[0].endpoint}/{leaving}/")]
    gone = [key for key in mine if key not in keys(replace(scene.script.current, watches=kept))]
    if not gone:
        scene.add("cell", scene.ground.cell())
        return
    scope = {"endpoint": watches[0].endpoint, "model": leaving}
    scene.add("removed", Place(targets=gone, scope=scope))
    scene.script.current = replace(scene.script.current, watches=kept)
    scene.act("reconfigure", scene.end, plan=scene.script.current)


def _changed(scene: Scene) -> None:
    """Somebody sets another deadline while the target fails: neither blame nor incident change."""
    assert scene.script.current is not None
    scene.add("changed", scene.ground.part("endpoint"))
    watches = [
        one if one.every == "20s" else replace(one, more=f'{one.more}\ntimeout = "29s"'.strip())
        for one in scene.script.current.watches
    ]
    scene.script.current = replace(scene.script.current, watches=watches)
    scene.act("reconfigure", scene.at + timedelta(minutes=15), plan=scene.script.current)


def _away(scene: Scene) -> None:
    scene.add("away", scene.ground.cell())
    scene.act("away", scene.at - timedelta(minutes=1), timedelta(minutes=9))


def _killed(scene: Scene) -> None:
    scene.add("killed", scene.ground.part("endpoint"))
    scene.act("kill", scene.at + timedelta(minutes=scene.rng.choice([1, 2, 10])), timedelta(minutes=2))
    scene.act("restart", scene.quiet)


def _suspended(scene: Scene) -> None:
    scene.add("suspended", scene.ground.cell())
    scene.act("suspend", scene.quiet, timedelta(minutes=11))


def _clock(scene: Scene) -> None:
    scene.add("clock", scene.ground.cell())
    scene.act("clock", scene.quiet, timedelta(seconds=scene.rng.choice([-75, 75])))


SPECIAL: Mapping[str, Callable[[Scene], None]] = {
    "two": _two,
    "blip": _blip,
    "beside": _beside,
    "network": _network,
    "maintenance": _maintenance,
    "added": _added,
    "removed": _removed,
    "changed": _changed,
    "away": _away,
    "killed": _killed,
    "suspended": _suspended,
    "clock": _clock,
}


def _named(key: str) -> dict[str, str]:
    return dict(zip(("endpoint", "model", "pathway"), key.split("/"), strict=True))


def _add(script: Script, kind: Kind, place: Place, start: datetime, end: datetime) -> None:
    script.planted.append(
        Planted(
            id=len(script.planted) + 1,
            kind=kind.name,
            how=kind.how,
            targets=tuple(place.targets),
            start=start.replace(microsecond=0),
            end=end.replace(microsecond=0),
            scope=place.scope,
            blame=kind.blame,
            share=kind.share,
            retry_after=kind.retry_after,
            most=kind.most,
            hidden=kind.name in {"network", "maintenance"},
        )
    )


def _maintenances(script: Script) -> Iterator[str]:
    for one in script.planted:
        if one.kind == "maintenance":
            begin, until = one.start - timedelta(minutes=5), one.end + timedelta(minutes=5)
            yield (
                f'[[maintenance]]\nname = "planned {one.id}"\nfrom = {begin:%Y-%m-%dT%H:%M:%SZ}\n'
                f"until = {until:%Y-%m-%dT%H:%M:%SZ}\ntargets = {list(one.targets)!r}".replace("'", '"')
            )
