"""What do the failing cells share that no healthy cell has? The smallest answer, or the fewest.

A conjunction names values of facets; it covers the cells that have all of them. A scope must cover
every failing cell and no healthy one. Nothing here knows of windows or of time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from typing import TypeVar

# An example with four cells of one endpoint in one region:
#
#              rest    realtime
#   gpt-4o     good    failing      {model: gpt-4o, pathway: realtime} is the answer: with one value alone a
#   whisper-1  good    good         good cell is covered too. {endpoint} and {region} cover all four.
#
# Where whisper-1 realtime fails as well, {pathway: realtime} is enough and shorter.
FACETS = ("endpoint", "region", "provider", "model", "pathway", "location")

Conjunction = Mapping[str, str]
Facets = Mapping[str, str | None]
_Key = TypeVar("_Key", bound=Hashable)
_MOST_TRIED = 50_000  # choices; beyond it the fewest are only sought greedily


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an incident covers: one conjunction of facet values, or the union of the fewest.

    `aliases` lists every conjunction that names the same values by other facets, the named one
    included; it is empty where there is but one way to say it.
    """

    conjunctions: tuple[Conjunction, ...]
    aliases: tuple[Conjunction, ...]
    ambiguous: bool
    alternatives: tuple[Conjunction, ...]


NOWHERE = Scope(conjunctions=(), aliases=(), ambiguous=False, alternatives=())


def covers(conjunction: Conjunction, facets: Facets) -> bool:
    """Whether a cell with these facets has every value of the conjunction."""
    return all(facets[facet] == value for facet, value in conjunction.items())


# Two endpoints, a (region north) and b (region south), two models, two pathways; x failed, . was healthy:
#
#                     realtime   rest
#     a   gpt             x        .
#     a   whisper         .        .
#     b   gpt             x        .
#     b   whisper         .        .
#
# The failing cells share the model gpt and the pathway realtime. One value: {gpt} covers healthy rest cells
# too, {realtime} healthy whisper cells. Two: {gpt, realtime} covers both failing cells and no healthy one: it
# is the scope.
#
# Had only the first cell failed, {a, gpt, realtime} and {north, gpt, realtime} would fit alike. They are
# aliases, since endpoint and region pick out the same cells, and the endpoint is named.


def find_scope(failing: Sequence[Facets], healthy: Sequence[Facets]) -> Scope:
    """The smallest conjunction that covers every failing cell and no healthy one; else a union.

    Facet values that pick out the same of these cells are aliases: the first in facet order is named.
    Where different conjunctions are equally small the first in facet order is named, and the others
    are alternatives. *failing* must not be empty.
    """
    # Sizes ascending: the first size at which anything fits is the smallest, and ends the search.
    for size in range(1, len(FACETS) + 1):
        fitting = [
            conjunction
            for conjunction in _shared(failing, size)
            if not any(covers(conjunction, facets) for facets in healthy)
        ]
        if fitting:
            return _named(fitting, [*failing, *healthy])
    return _union(failing, healthy)


def _shared(failing: Sequence[Facets], size: int) -> Iterable[Conjunction]:
    """Every conjunction of *size* values that all failing cells have, in facet order."""
    first = failing[0]
    common = {
        facet: value
        for facet in FACETS
        if (value := first[facet]) is not None and all(facets[facet] == value for facets in failing)
    }
    for facets in combinations(common, size):
        yield {facet: common[facet] for facet in facets}


def _named(fitting: Sequence[Conjunction], cells: Sequence[Facets]) -> Scope:
    # Two conjunctions mean the same where each of their values picks out the same cells: with one endpoint in
    # a region {endpoint} and {region} do, and the reader is told both names of one thing.
    alike: dict[frozenset[frozenset[int]], list[Conjunction]] = {}
    for conjunction in fitting:
        meaning = frozenset(_picked(facet, value, cells) for facet, value in conjunction.items())
        alike.setdefault(meaning, []).append(conjunction)
    named, *others = alike.values()
    return Scope(
        conjunctions=(named[0],),
        aliases=tuple(named) if len(named) > 1 else (),
        ambiguous=bool(others),
        alternatives=tuple(other[0] for other in others),
    )


def _picked(facet: str, value: str, cells: Sequence[Facets]) -> frozenset[int]:
    return frozenset(index for index, facets in enumerate(cells) if facets[facet] == value)


def _union(failing: Sequence[Facets], healthy: Sequence[Facets]) -> Scope:
    everything = dict(enumerate(failing))

    def fits(conjunction: Conjunction, _: frozenset[int]) -> bool:
        return not any(covers(conjunction, facets) for facets in healthy)

    parts = fewest(everything, fits)
    return Scope(
        conjunctions=tuple(conjunction for conjunction, _ in parts),
        aliases=(),
        ambiguous=False,
        alternatives=(),
    )


def fewest(
    cells: Mapping[_Key, Facets], fits: Callable[[Conjunction, frozenset[_Key]], bool]
) -> list[tuple[Conjunction, frozenset[_Key]]]:
    """The fewest conjunctions that together cover all *cells*, each with the cells it explains.

    *fits* says whether a conjunction may explain the cells it covers. Ties: fewest facets, then facet
    order, then values. A cell covered twice belongs to the first conjunction. Cells for which nothing
    fits are explained by all their values, fitting or not.
    """
    chosen = _smallest_cover(_candidates(cells, fits), frozenset(cells))
    parts: list[tuple[Conjunction, frozenset[_Key]]] = []
    left = set(cells)
    for conjunction, covered in chosen:
        parts.append((conjunction, frozenset(left & covered)))
        left -= covered
    return parts


def order(conjunction: Conjunction) -> tuple[int, tuple[int, ...], tuple[str, ...]]:
    """The key by which ties are broken: fewest facets, then facet order, then values."""
    facets = [facet for facet in FACETS if facet in conjunction]
    return len(facets), tuple(map(FACETS.index, facets)), tuple(conjunction[facet] for facet in facets)


_Candidate = tuple[Conjunction, frozenset[_Key]]


def _candidates(
    cells: Mapping[_Key, Facets], fits: Callable[[Conjunction, frozenset[_Key]], bool]
) -> list[_Candidate[_Key]]:
    """The fitting conjunctions, best first; of those that cover the same cells only the best.

    One that covers every cell makes all others needless. One that covers less than a better one
    covers is left out: no choice with it wins.
    """
    everything = frozenset(cells)
    # Best first, so that whatever covers no more than a kept one can be dropped at once.
    best: dict[frozenset[_Key], Conjunction] = {}
    for conjunction, covered in sorted(_projections(cells), key=lambda entry: order(entry[0])):
        if covered in best or any(covered < other for other in best):
            continue
        if fits(conjunction, covered):
            best[covered] = conjunction
            if covered == everything:
                return [(conjunction, covered)]
    for key in everything.difference(*best):
        best[frozenset({key})] = {
            facet: value for facet in FACETS if (value := cells[key][facet]) is not None
        }
    return sorted(
        ((conjunction, covered) for covered, conjunction in best.items()), key=lambda c: order(c[0])
    )


def _projections(cells: Mapping[_Key, Facets]) -> Iterable[_Candidate[_Key]]:
    """Every conjunction of values that occur together in a cell, with the cells it covers."""
    for size in range(1, len(FACETS) + 1):
        for names in combinations(FACETS, size):
            groups: dict[tuple[str | None, ...], set[_Key]] = {}
            for key, facets in cells.items():
                groups.setdefault(tuple(facets[name] for name in names), set()).add(key)
            for values, keys in groups.items():
                conjunction = {n: v for n, v in zip(names, values, strict=True) if v is not None}
                if len(conjunction) == size:
                    yield conjunction, frozenset(keys)


def _smallest_cover(
    candidates: Sequence[_Candidate[_Key]], everything: frozenset[_Key]
) -> Sequence[_Candidate[_Key]]:
    """The best of the smallest choices that cover everything; candidates come best first."""
    # Choices of one candidate, then of two, …: the first count that covers everything is the fewest. All of
    # that count are compared, since ties go by facets. Combinations explode with candidates, hence the bound.
    counts = range(1, len(candidates) + 1)
    choices = chain.from_iterable(combinations(candidates, count) for count in counts)
    best: tuple[_Candidate[_Key], ...] | None = None
    for tried, chosen in enumerate(choices):
        if tried >= _MOST_TRIED or (best is not None and len(chosen) > len(best)):
            break
        if len(frozenset[_Key]().union(*(covered for _, covered in chosen))) < len(everything):
            continue
        if best is None or _order_of(chosen) < _order_of(best):
            best = chosen
    return _greedy_cover(candidates, everything) if best is None else best


def _order_of(
    choice: Sequence[_Candidate[_Key]],
) -> tuple[int, list[tuple[int, ...]], list[tuple[str, ...]]]:
    keys = [order(conjunction) for conjunction, _ in choice]
    return sum(key[0] for key in keys), [key[1] for key in keys], [key[2] for key in keys]


def _greedy_cover(
    candidates: Sequence[_Candidate[_Key]], everything: frozenset[_Key]
) -> Sequence[_Candidate[_Key]]:
    """One conjunction after the other, each the best of those that cover most of what is left."""
    left, chosen = set(everything), []
    while left:
        best = max(candidates, key=lambda candidate: len(candidate[1] & left))
        chosen.append(best)
        left -= best[1]
    return chosen
