"""What was said against what should have been said: word error rate and completeness.

The comparison is of words, not of spelling: case, punctuation, spacing and the way numbers are written
do not count. Time and memory are bounded by the length of the reference, whatever was said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import jiwer

from monitor.core.classification.normalisation import TextPart, choose, read_parts

PASSES = 0.15  # at most this word error rate passes
DEGRADES = 0.40  # at most this one is degraded; above, or nothing said, is failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """Counts of words; `completeness` is the share of reference words that were not deleted (0 to 1).

    `wer` may exceed 1 where words were invented; for a clip without words it is 1 if any were heard.
    """

    wer: float
    completeness: float
    reference: int
    said: int
    hits: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0


def score(said: str, reference: str, language: str | None = "en") -> Accuracy:
    """Return the score of *said* against *reference*, numbers and contractions in the way that fits best."""
    bound = 40 * len(reference) + 2_000
    heard = read_parts(said[:bound], language)
    expected = _parts_of(reference, language)
    wanted = choose(expected, (), language)
    words = choose(heard, wanted, language)
    if any(len(part.ways) > 1 for part in expected):
        wanted = choose(expected, words, language)
        words = choose(heard, wanted, language)
    return _compare(words, tuple(wanted))


@lru_cache(maxsize=128)
def _parts_of(reference: str, language: str | None) -> tuple[TextPart, ...]:
    """Return the parts of a reference, which one run after another is held against."""
    return tuple(read_parts(reference, language))


def _compare(said: Sequence[str], reference: tuple[str, ...]) -> Accuracy:
    if not reference:
        return Accuracy(
            wer=1.0 if said else 0.0, completeness=1.0, reference=0, said=len(said), insertions=len(said)
        )
    if tuple(said) == reference:  # the usual run, at a fraction of the alignment's cost
        return Accuracy(wer=0.0, completeness=1.0, reference=len(said), said=len(said), hits=len(said))
    heard = said[: 20 * len(reference) + 100]
    counts = jiwer.process_words(" ".join(reference), " ".join(heard))
    return Accuracy(
        wer=counts.wer,
        completeness=1 - counts.deletions / len(reference),
        reference=len(reference),
        said=len(heard),
        hits=counts.hits,
        substitutions=counts.substitutions,
        deletions=counts.deletions,
        insertions=counts.insertions,
    )
