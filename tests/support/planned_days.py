"""The shapes of trouble that the verdict is proven on: what happened on a day, and what must be found."""

from __future__ import annotations

from monitor.core.model import Blame
from tests.support.days_of_trouble import (
    EVERYWHERE,
    REGIONAL,
    Changed,
    Event,
    Late,
    Planned,
    Shape,
    Silence,
    Stretch,
    Trouble,
    Where,
    planned,
)

REFERENCE: Where = {"endpoint": "sweden", "model": "gpt-4o-transcribe", "pathway": "realtime"}
OTHER: Where = {"endpoint": "openai", "model": "whisper-1", "pathway": "rest"}
OF_ONE_MODEL: Where = {"endpoint": "sweden", "model": "gpt-4o-transcribe"}
SWEDEN: Where = {"endpoint": "sweden"}
OPENAI: Where = {"endpoint": "openai"}
AZURE_REALTIME: Where = {"provider": "azure_openai", "pathway": "realtime"}
FROM_OSLO: Where = {"endpoint": "sweden", "location": "oslo"}
OSLO: Where = {"location": "oslo"}


def trouble(where: Where, since: str, until: str | None = None, mark: str = "server", **more: float) -> Event:
    """Every run of these cells fails like this, unless *more* says how many."""
    return Trouble(where=where, since=since, until=until, mark=mark, **more)


def off(where: Where, since: str, until: str | None = None) -> Event:
    """No runs."""
    return Silence(where=where, since=since, until=until)


def simple(name: str, where: Where, mark: str = "server", every: int = 300, **more: object) -> Shape:
    """One outage of one scope from 10:00 to 12:00."""
    return Shape(
        name=name,
        events=(trouble(where, "10:00", "12:00", mark),),
        expected=(planned(where, "10:00", "12:00", **more),),
        every=every,
    )


OF_PLACE = (
    simple("one target, a run a minute", REFERENCE, every=60),
    simple("one target", REFERENCE),
    simple("one target that falls silent", REFERENCE, "silent"),
    simple("one model of an endpoint", OF_ONE_MODEL),
    simple("one model wherever it is offered", {"model": "whisper-1"}),
    simple("one pathway of a provider", AZURE_REALTIME),
    simple("one pathway everywhere", {"pathway": "realtime"}, "capacity"),
    simple("an endpoint", SWEDEN, severity="critical"),
    simple("an endpoint from one location", FROM_OSLO),
    simple("one target from one location", {**REFERENCE, "location": "oslo"}),
    simple("everything from one location", OSLO),
    Shape(
        name="a region of two endpoints",
        endpoints=REGIONAL,
        events=(trouble({"region": "swedencentral"}, "10:00", "12:00"),),
        expected=(planned({"region": "swedencentral"}, "10:00", "12:00", severity="critical"),),
    ),
)

OF_COUNT = (
    Shape(name="a quiet day", events=()),
    Shape(
        name="single failures everywhere",
        events=tuple(trouble(EVERYWHERE, f"{hour}:00", f"{hour}:05") for hour in range(1, 24)),
    ),
    Shape(
        name="two unrelated at the same time",
        events=(trouble(REFERENCE, "10:00", "12:00"), trouble(OTHER, "10:00", "12:00", "silent")),
        expected=(planned(REFERENCE, "10:00", "12:00"), planned(OTHER, "10:00", "12:00")),
    ),
    Shape(
        name="two that overlap",
        events=(
            trouble(OF_ONE_MODEL, "10:00", "12:00"),
            trouble(OTHER, "11:00", "14:00"),
        ),
        expected=(planned(OF_ONE_MODEL, "10:00", "12:00"), planned(OTHER, "11:00", "14:00")),
    ),
    Shape(
        name="two that overlap on one endpoint",
        events=(
            trouble(REFERENCE, "10:00", "12:00"),
            trouble({"endpoint": "sweden", "model": "whisper-1", "pathway": "rest"}, "11:00", "14:00"),
        ),
        expected=(
            planned(REFERENCE, "10:00", "12:00"),
            planned({"endpoint": "sweden", "model": "whisper-1", "pathway": "rest"}, "11:00", "14:00"),
        ),
    ),
    Shape(
        name="an outage and a revoked key",
        events=(trouble(OF_ONE_MODEL, "10:00", "12:00"), trouble(OPENAI, "11:00", None, "auth")),
        expected=(
            planned(OF_ONE_MODEL, "10:00", "12:00"),
            planned(OPENAI, "11:00", blame=Blame.ACCOUNT, severity="notice"),
        ),
    ),
    Shape(
        name="a revoked key that takes away what told the provider",
        events=(trouble(AZURE_REALTIME, "10:00", "12:00"), trouble(OPENAI, "11:00", None, "auth")),
        expected=(
            # No realtime cell of the other provider is healthy any more: the smaller scope fits too.
            Planned(
                scope=({"pathway": "realtime"},),
                parts=(Stretch(where=AZURE_REALTIME, since="10:00", until="12:00"),),
            ),
            planned(OPENAI, "11:00", blame=Blame.ACCOUNT, severity="notice"),
        ),
    ),
    Shape(
        name="two, one after the other",
        events=(trouble(REFERENCE, "10:00", "11:00"), trouble(REFERENCE, "15:00", "16:00")),
        expected=(planned(REFERENCE, "10:00", "11:00"), planned(REFERENCE, "15:00", "16:00")),
    ),
    Shape(
        name="a relapse",
        events=(trouble(REFERENCE, "10:00", "11:00"), trouble(REFERENCE, "11:35", "12:30")),
        expected=(planned(REFERENCE, "10:00", "12:30"),),
    ),
    Shape(
        name="spreading",
        events=(
            trouble(REFERENCE, "10:00", "12:00"),
            trouble(OF_ONE_MODEL, "10:40", "12:00"),
            trouble(SWEDEN, "11:20", "12:00"),
        ),
        expected=(
            Planned(
                scope=(SWEDEN,),
                parts=(
                    Stretch(where=REFERENCE, since="10:00", until="12:00"),
                    Stretch(where=OF_ONE_MODEL, since="10:40", until="12:00"),
                    Stretch(where=SWEDEN, since="11:20", until="12:00"),
                ),
                severity="critical",
            ),
        ),
    ),
    Shape(
        name="narrowing",
        events=(trouble(SWEDEN, "10:00", "10:40"), trouble(REFERENCE, "10:40", "13:00")),
        expected=(
            Planned(
                scope=(SWEDEN,),
                parts=(
                    Stretch(where=REFERENCE, since="10:00", until="13:00"),
                    Stretch(where=SWEDEN, since="10:00", until="10:40"),
                ),
                severity="critical",
            ),
        ),
    ),
)

OF_KIND = (
    Shape(
        name="six of ten requests",
        every=60,
        events=(trouble(REFERENCE, "10:00", "12:00", share=0.6),),
        expected=(planned(REFERENCE, "10:00", "12:00", loose=5),),
    ),
    Shape(
        name="three of ten requests",
        every=60,
        events=(trouble(REFERENCE, "10:00", "13:00", share=0.3),),
        expected=(planned(REFERENCE, "10:00", "13:00", states=("degraded", "down"), loose=6),),
    ),
    Shape(
        name="flapping",
        every=60,
        events=(trouble(REFERENCE, "10:00", "12:00", bad=4, period=12),),
        expected=(planned(REFERENCE, "10:00", "11:52"),),
    ),
    simple("slow", AZURE_REALTIME, "slow", severity="minor", states=("degraded",)),
    simple("some words wrong", OF_ONE_MODEL, "half wrong", severity="minor", states=("degraded",)),
    simple("wrong words", OF_ONE_MODEL, "wrong"),
    simple("a revoked key", SWEDEN, "auth", blame=Blame.ACCOUNT, severity="notice"),
    simple("a quota used up", OF_ONE_MODEL, "quota", blame=Blame.ACCOUNT, severity="notice"),
    Shape(
        name="slow, then down",
        events=(trouble(REFERENCE, "10:00", "12:00", "slow"), trouble(REFERENCE, "12:00", "14:00")),
        expected=(planned(REFERENCE, "10:00", "14:00", states=("degraded", "down")),),
    ),
    Shape(
        name="never configured, while REST passes",
        events=(trouble(REFERENCE, "0:00"),),
        expected=(planned(REFERENCE, "0:00", blame=Blame.UNKNOWN),),
    ),
    Shape(
        name="never configured, nor REST",
        events=(trouble(OF_ONE_MODEL, "0:00"),),
        expected=(planned(OF_ONE_MODEL, "0:00", blame=Blame.ACCOUNT, severity="notice"),),
    ),
    Shape(
        name="another configuration at the edge",
        events=(
            Changed(where=OF_ONE_MODEL, since="10:00", configuration="c2"),
            trouble(OF_ONE_MODEL, "10:00", "12:00"),
        ),
        expected=(planned(OF_ONE_MODEL, "10:00", "12:00", blame=Blame.ACCOUNT, severity="notice"),),
    ),
    Shape(
        name="another configuration inside",
        events=(
            Changed(where=REFERENCE, since="11:00", configuration="c2"),
            trouble(REFERENCE, "10:00", "12:00"),
        ),
        expected=(planned(REFERENCE, "10:00", "12:00"),),
    ),
)

OF_SIGHT = (
    Shape(name="the monitor off", events=(off(EVERYWHERE, "10:00", "12:00"),), gaps=36),
    Shape(
        name="the monitor off inside an outage",
        events=(trouble(REFERENCE, "9:00", "13:00"), off(EVERYWHERE, "10:00", "12:00")),
        expected=(planned(REFERENCE, "9:00", "13:00"),),
        gaps=36,
    ),
    Shape(
        name="the monitor off when an outage begins",
        events=(trouble(REFERENCE, "11:00", "13:00"), off(EVERYWHERE, "10:00", "12:00")),
        expected=(planned(REFERENCE, "12:00", "13:00"),),
        gaps=36,
    ),
    Shape(
        name="the monitor off when an outage ends",
        events=(trouble(REFERENCE, "9:00", "11:00"), off(EVERYWHERE, "10:00", "12:00")),
        expected=(planned(REFERENCE, "9:00", "12:00"),),
        gaps=36,
    ),
    Shape(
        name="the monitor blind",
        events=(trouble(EVERYWHERE, "10:00", "12:00", "dns"),),
        blind=2,
    ),
    Shape(
        name="one location blind",
        events=(trouble(OSLO, "10:00", "12:00", "connect"),),
        blind=1,
    ),
    Shape(
        name="one location blind inside an outage",
        events=(trouble(REFERENCE, "9:00", "13:00"), trouble(OSLO, "10:00", "12:00", "connect")),
        expected=(planned(REFERENCE, "9:00", "13:00"),),
        blind=1,
    ),
    Shape(
        name="runs that could not be measured inside an outage",
        events=(trouble(REFERENCE, "9:00", "13:00"), trouble(REFERENCE, "10:00", "11:00", "unmeasured")),
        expected=(planned(REFERENCE, "9:00", "13:00"),),
        blind=2,
    ),
    simple("an endpoint out of reach", SWEDEN, "connect", severity="critical"),
    simple("an endpoint out of reach from one location", FROM_OSLO, "connect", blame=Blame.NETWORK),
)

OF_TIME = (
    Shape(
        name="runs that arrive an hour late",
        events=(
            trouble(AZURE_REALTIME, "10:00", "12:00"),
            Late(where=OSLO, since="9:30", until="12:00", arrives="13:00"),
        ),
        expected=(planned(AZURE_REALTIME, "10:00", "12:00"),),
    ),
    Shape(
        name="an outage that is known only an hour later",
        events=(
            trouble(REFERENCE, "10:00", "11:00"),
            Late(where=EVERYWHERE, since="9:30", until="11:30", arrives="12:30"),
        ),
        expected=(planned(REFERENCE, "10:00", "11:00"),),
    ),
    Shape(
        name="open at the end of the day",
        events=(trouble(AZURE_REALTIME, "22:00"),),
        expected=(planned(AZURE_REALTIME, "22:00"),),
    ),
    Shape(
        name="across midnight",
        begins="12:00",
        ends="36:00",
        events=(trouble(AZURE_REALTIME, "23:00", "25:30"),),
        expected=(planned(AZURE_REALTIME, "23:00", "25:30"),),
    ),
    Shape(
        name="targets that appear during an outage",
        events=(off({"model": "whisper-1"}, "0:00", "11:00"), trouble(SWEDEN, "10:00", "13:00", "capacity")),
        expected=(
            Planned(
                scope=(SWEDEN,),
                parts=(
                    Stretch(where={**SWEDEN, "model": "whisper-1"}, since="11:00", until="13:00"),
                    Stretch(where=SWEDEN, since="10:00", until="13:00"),
                ),
                severity="critical",
            ),
        ),
    ),
    Shape(
        name="a target that vanishes during an outage",
        events=(off(REFERENCE, "11:00"), trouble(REFERENCE, "10:00", "13:00")),
        expected=(planned(REFERENCE, "10:00"),),
        gaps=2,
    ),
    Shape(
        name="controls that vanish during an outage",
        events=(off({"endpoint": "openai"}, "11:00"), trouble(REFERENCE, "10:00", "13:00")),
        expected=(planned(REFERENCE, "10:00", "13:00"),),
        gaps=12,
    ),
)

SHAPES = (*OF_PLACE, *OF_COUNT, *OF_KIND, *OF_SIGHT, *OF_TIME)
