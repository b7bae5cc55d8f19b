"""Titles: word for word, at their edges."""

from __future__ import annotations

from datetime import datetime, timedelta

from monitor.core.diagnosis.scope import Conjunction, Facets, Scope
from monitor.core.diagnosis.title import cell_name, subject_of, title_of
from monitor.core.model import Cell, State
from tests.support.outcomes import T0, minutes

T60 = minutes(60)
SWEDEN: dict[str, str | None] = {
    "endpoint": "azure-sweden",
    "region": "swedencentral",
    "provider": "azure_openai",
    "model": "a",
    "pathway": "rest",
    "location": "berlin",
}


def title(
    *parts: Conjunction,
    affected: tuple[Facets, ...] = (SWEDEN,),
    aliases: tuple[Conjunction, ...] = (),
    controls: tuple[Facets, ...] = (),
    end: datetime | None = None,
    now: datetime = T60,
) -> str:
    """A title with everything usual but what is given."""
    scope = Scope(conjunctions=parts, aliases=aliases, ambiguous=False, alternatives=())
    return title_of(subject_of(scope, affected, controls), State.DOWN, (T0, end), [], now=now)


def test_values_stand_in_their_order() -> None:
    """Model, pathway, region, provider, location."""
    everything = {"location": "berlin", "provider": "azure_openai", "pathway": "rest", "model": "a"}
    assert title(everything) == "a · rest · swedencentral · azure_openai · berlin down since 08:30:10 UTC."


def test_the_place_is_the_region_else_the_endpoint() -> None:
    """An endpoint is named by its region only where no other endpoint shares it."""
    by_region = ({"endpoint": "azure-sweden"}, {"region": "swedencentral"})
    assert title({"endpoint": "azure-sweden"}, aliases=by_region).startswith("a · rest · swedencentral down")
    assert title({"endpoint": "azure-sweden"}).startswith("a · rest · azure-sweden down")
    without = SWEDEN | {"region": None}
    assert title({"model": "a"}, affected=(without,)).startswith("a · rest · azure-sweden down")
    elsewhere = SWEDEN | {"endpoint": "us", "region": "eastus"}
    assert title({"model": "a"}, affected=(SWEDEN, elsewhere)).startswith("a down")


def test_down_from_one_location_only_is_worded_as_such() -> None:
    """Where the same passes from another location; a control of something else there proves nothing."""
    same = SWEDEN | {"location": "oslo"}
    other = SWEDEN | {"location": "oslo", "model": "b"}
    where = {"model": "a", "location": "berlin"}
    assert title(where, controls=(same,)).startswith("a · rest · swedencentral (from berlin only) down since")
    assert title(where, controls=(other,)).startswith("a · rest · swedencentral · berlin down since")
    abroad = SWEDEN | {"endpoint": "us", "region": None}
    everything = title({"location": "berlin"}, affected=(SWEDEN, abroad), controls=(same,))
    assert everything.startswith("everything (from berlin only) down since")


def test_several_conjunctions_are_joined() -> None:
    """A union names each part."""
    assert title({"model": "a"}, {"model": "b"}).startswith(
        "a · rest · swedencentral and b · swedencentral down"
    )


def test_dates_stand_where_the_day_is_another() -> None:
    """Of now while it lasts, of the end when it has ended."""
    day = timedelta(days=1)
    assert title({"model": "a"}, now=minutes(60) + day).endswith("down since 08:30:10 UTC, 17 Nov 2025.")
    assert title({"model": "a"}, end=minutes(60), now=minutes(60) + day).endswith(
        "down 08:30:10–09:30:10 UTC."
    )
    assert title({"model": "a"}, end=minutes(60) + day).endswith(
        "down 08:30:10 UTC, 17 Nov 2025 – 09:30:10 UTC, 18 Nov 2025."
    )


def test_controls_are_named_with_their_runs() -> None:
    """In their order; a cell is named with endpoint and location where they are not those of the affected."""
    near = Cell("azure-sweden", "b", "rest", "berlin")
    far = Cell("us", "a", "rest", "paris")
    failing = [Cell("azure-sweden", "a", "rest", "berlin")]
    named = [(cell_name(cell, failing), passed, 3) for cell, passed in ((near, 3), (far, 2))]
    assert title_of("a", State.DOWN, (T0, None), named, now=T60).endswith(
        "UTC. Unaffected: b rest 3/3, a rest on us from paris 2/3."
    )


def test_a_subject_has_no_words_cut_out_of_it() -> None:
    """A model may be called as a state is: the subject is a value of its own, not the title's first words."""
    assert title_of("is down · rest", State.DEGRADED, (T0, None), [], now=T60).startswith(
        "is down · rest degraded since"
    )
