"""Scope: the smallest conjunction, against a search over every conjunction there is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.diagnosis import scope as scopes
from monitor.core.diagnosis.scope import FACETS, Scope, covers, fewest, find_scope, order
from tests.support.examples import examples

Cell = Mapping[str, str | None]


@st.composite
def cells(draw: st.DrawFn) -> list[Cell]:
    """Some distinct cells of two endpoints, models, pathways and locations; a region may be unknown."""
    keys = draw(st.sets(st.tuples(*[st.integers(0, 1)] * 4), min_size=1, max_size=9))
    regions = draw(st.tuples(*[st.sampled_from(("north", "south", None))] * 2))
    return [
        {
            "endpoint": f"e{endpoint}",
            "region": regions[endpoint],
            "provider": "p",
            "model": f"m{model}",
            "pathway": f"w{pathway}",
            "location": f"l{location}",
        }
        for endpoint, model, pathway, location in sorted(keys)
    ]


def every_conjunction(among: Iterable[Cell], size: int) -> list[dict[str, str]]:
    """All conjunctions of *size* values that occur, whether they fit or not."""
    values = {facet: sorted({v for one in among if (v := one[facet]) is not None}) for facet in FACETS}
    return [
        dict(zip(facets, chosen, strict=True))
        for facets in combinations(FACETS, size)
        for chosen in product(*(values[facet] for facet in facets))
    ]


def extent(facet: str, value: str, among: Sequence[Cell]) -> tuple[int, ...]:
    """Which cells a value picks out."""
    return tuple(index for index, one in enumerate(among) if one[facet] == value)


@settings(deadline=None)
@given(cells(), st.data())
def test_scope_is_the_smallest_that_brute_force_finds(among: list[Cell], data: st.DataObject) -> None:
    """The named conjunction, its aliases and the alternatives are those of a search over all."""
    ill = data.draw(st.sets(st.integers(0, len(among) - 1), min_size=1))
    failing = [one for index, one in enumerate(among) if index in ill]
    healthy = [one for index, one in enumerate(among) if index not in ill]
    found = find_scope(failing, healthy)
    for size in range(1, 7):
        fitting = [
            conjunction
            for conjunction in every_conjunction(among, size)
            if all(covers(conjunction, one) for one in failing)
            and not any(covers(conjunction, one) for one in healthy)
        ]
        if fitting:
            groups: dict[frozenset[tuple[int, ...]], list[dict[str, str]]] = {}
            for conjunction in fitting:
                key = frozenset(extent(f, v, [*failing, *healthy]) for f, v in conjunction.items())
                groups.setdefault(key, []).append(conjunction)
            first, *others = groups.values()
            assert found.conjunctions == (first[0],)
            assert list(found.aliases) == (first if len(first) > 1 else [])
            assert list(found.alternatives) == [other[0] for other in others]
            assert found.ambiguous is bool(others)
            return
    assert len(found.conjunctions) > 1
    assert all(any(covers(part, one) for part in found.conjunctions) for one in failing)
    assert not any(covers(part, one) for part in found.conjunctions for one in healthy)


@settings(max_examples=examples(60), deadline=None)
@given(cells(), st.data())
def test_the_union_is_of_the_fewest(among: list[Cell], data: st.DataObject) -> None:
    """No smaller choice of conjunctions covers every failing and no healthy cell."""
    ill = data.draw(st.sets(st.integers(0, len(among) - 1), min_size=1))
    failing = {index: one for index, one in enumerate(among) if index in ill}
    healthy = [one for index, one in enumerate(among) if index not in ill]
    parts = fewest(failing, lambda part, _: not any(covers(part, one) for one in healthy))
    fitting = {
        frozenset(index for index, one in failing.items() if covers(conjunction, one))
        for size in range(1, 7)
        for conjunction in every_conjunction(among, size)
        if not any(covers(conjunction, one) for one in healthy)
    }
    fewer = combinations(fitting, len(parts) - 1)
    assert not any(frozenset().union(*chosen) == frozenset(failing) for chosen in fewer)
    assert sorted(index for _, mine in parts for index in mine) == sorted(failing)


def cell(**values: str | None) -> Cell:
    """A cell like all others but for *values*."""
    usual = {
        "endpoint": "sweden",
        "region": "swedencentral",
        "provider": "azure",
        "model": "a",
        "pathway": "rest",
        "location": "x",
    }
    return usual | values


def test_one_endpoint_per_region_is_an_alias() -> None:
    """Endpoint and region pick out the same cells: the endpoint is named, both stand as aliases."""
    found = find_scope([cell(), cell(model="b")], [cell(endpoint="us", region="eastus")])
    assert found == Scope(
        conjunctions=({"endpoint": "sweden"},),
        aliases=({"endpoint": "sweden"}, {"region": "swedencentral"}),
        ambiguous=False,
        alternatives=(),
    )


def test_two_explanations_of_the_same_size_are_ambiguous() -> None:
    """Realtime on this endpoint, or this model in realtime: both fit, the first is named."""
    failing = [cell(pathway="realtime")]
    healthy = [
        cell(),
        cell(endpoint="us", region="eastus"),
        cell(endpoint="us", region="eastus", model="b", pathway="realtime"),
    ]
    found = find_scope(failing, healthy)
    assert found.conjunctions == ({"endpoint": "sweden", "pathway": "realtime"},)
    assert found.ambiguous
    assert found.alternatives == ({"model": "a", "pathway": "realtime"},)


def test_without_healthy_cells_the_first_common_facet_is_named() -> None:
    """Never empty: what all share first; null is no value."""
    failing = [cell(endpoint="one", region=None), cell(endpoint="two", region=None)]
    assert find_scope(failing, []).conjunctions == ({"provider": "azure"},)


def test_no_conjunction_gives_the_union_of_the_fewest() -> None:
    """Two corners of a square whose other corners are healthy need two conjunctions."""
    failing = [cell(model="a", pathway="rest"), cell(model="b", pathway="realtime")]
    healthy = [cell(model="a", pathway="realtime"), cell(model="b", pathway="rest")]
    found = find_scope(failing, healthy)
    assert found.conjunctions == ({"model": "a", "pathway": "rest"}, {"model": "b", "pathway": "realtime"})
    assert not found.ambiguous


def test_a_cell_that_nothing_explains_is_told_by_all_its_values() -> None:
    """A failing cell with the facets of a healthy one still belongs to something."""
    parts = fewest({1: cell(region=None)}, lambda _part, _covered: False)
    assert parts == [({facet: value for facet, value in cell(region=None).items() if value}, frozenset({1}))]


def test_order_prefers_few_facets_then_their_order_then_values() -> None:
    """The key by which ties are broken."""
    ranked = [
        {"model": "a"},
        {"pathway": "a"},
        {"endpoint": "z", "model": "a"},
        {"endpoint": "z", "model": "b"},
    ]
    assert sorted([*ranked[2:], *ranked[:2]], key=order) == ranked


def test_a_storm_is_split_greedily() -> None:
    """Where too many choices would have to be tried, the answer still covers everything."""
    failing = {index: cell(model=f"m{index}", pathway=f"w{index % 5}") for index in range(24)}
    parts = fewest(failing, lambda part, _covered: "model" in part)
    assert len(parts) == 24
    greedy = scopes._greedy_cover([({"model": key}, frozenset({key})) for key in "abc"], frozenset("abc"))
    assert [part["model"] for part, _ in greedy] == ["a", "b", "c"]


@pytest.mark.parametrize("count", [60])
def test_many_failing_cells_with_one_cause_take_no_search(count: int) -> None:
    """One conjunction that covers everything ends the search at once."""
    failing = {index: cell(model=f"m{index}", pathway=f"w{index % 7}") for index in range(count)}
    assert fewest(failing, lambda _part, _covered: True) == [({"endpoint": "sweden"}, frozenset(failing))]
