"""Was the monitor itself fit to measure? Judged from what a run left behind; nothing is looked at here."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from monitor.core.classification.classify import Judgement
from monitor.core.classification.word_error_rate import PASSES
from monitor.core.model import Blame, Failure, Verdict
from monitor.core.timefmt import duration_words

# Far above what a busy but fit loop shows, far below any deadline of a run.
LATEST = timedelta(seconds=2)
_OURS_AS_WELL = frozenset({Failure.DNS, Failure.CONNECT, Failure.TLS, Failure.SERVER, Failure.SILENT})


def discount_own_lag(judgement: Judgement, lag: float) -> Judgement:
    """The judgement, or an inconclusive one where our own lateness explains it as well.

    *lag* is how late our event loop was at worst during the run, in seconds. What the provider said in
    so many words stands, and so do wrong words; a deadline that passed while we stood still does not.
    """
    if lag < LATEST.total_seconds() or not _may_be_ours(judgement):
        return judgement
    late = duration_words(timedelta(seconds=round(lag)))
    return replace(
        judgement,
        verdict=Verdict.INCONCLUSIVE,
        failure=Failure.MONITOR,
        blame=Blame.MONITOR,
        message=f"our own event loop stood still for {late} during the run",
        rule=0,
    )


def _may_be_ours(judgement: Judgement) -> bool:
    if judgement.verdict is Verdict.DEGRADED:
        return judgement.wer is None or judgement.wer <= PASSES
    said = judgement.type or judgement.code or (judgement.http_status or 0) >= 400
    return judgement.verdict is Verdict.FAILED and judgement.failure in _OURS_AS_WELL and not said
