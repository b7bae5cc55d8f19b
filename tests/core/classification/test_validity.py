"""Was the monitor fit: lateness that explains a failure, clocks that disagree, time that went missing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from monitor.core.classification.classify import Judgement
from monitor.core.classification.validity import discount_own_lag
from monitor.core.clock_offset import Offset, agreed, clock_fault, offset_in, step_words
from monitor.core.model import Blame, Failure, Stage, Verdict

SECOND = timedelta(seconds=1)


def failed(failure: Failure, **more: Any) -> Judgement:
    """A failed run."""
    return Judgement(
        verdict=Verdict.FAILED, failure=failure, stage=Stage.TRANSCRIBE, blame=Blame.PROVIDER, **more
    )


@pytest.mark.parametrize(
    "failure", [Failure.SILENT, Failure.CONNECT, Failure.DNS, Failure.TLS, Failure.SERVER]
)
def test_a_deadline_that_passed_while_we_stood_still_measured_nothing(failure: Failure) -> None:
    """The stage is kept, the reason is ours."""
    judged = discount_own_lag(failed(failure), 31.2)
    assert (judged.verdict, judged.failure, judged.blame) == (
        Verdict.INCONCLUSIVE,
        Failure.MONITOR,
        Blame.MONITOR,
    )
    assert judged.stage is Stage.TRANSCRIBE
    assert judged.message == "our own event loop stood still for 31 s during the run"


@pytest.mark.parametrize(
    "judgement",
    [
        failed(Failure.SERVER, type="server_error"),
        failed(Failure.SERVER, http_status=500),
        failed(Failure.SILENT, code="timeout"),
        failed(Failure.QUALITY, wer=0.9),
        failed(Failure.AUTH),
        Judgement(verdict=Verdict.PASSED, wer=0.0),
        Judgement(verdict=Verdict.DEGRADED, wer=0.3),
    ],
)
def test_what_the_provider_said_stands(judgement: Judgement) -> None:
    """An error in words, wrong words and a pass cannot come from our lateness."""
    assert discount_own_lag(judgement, 60.0) is judgement


def test_slowness_is_doubted_and_a_usual_lag_is_not() -> None:
    """Right words that came late may have waited for us; below two seconds nothing did."""
    slow = Judgement(verdict=Verdict.DEGRADED, wer=0.0)
    assert discount_own_lag(slow, 5.0).verdict is Verdict.INCONCLUSIVE
    assert discount_own_lag(slow, 1.9) is slow


def document(
    date: str, started: str = "2025-11-17T08:30:00.400Z", finished: str = "2025-11-17T08:30:03.100Z"
) -> dict[str, Any]:
    """The evidence of a run with a `Date` header."""
    return {"started_at": started, "finished_at": finished, "response_headers": [["Date", date]]}


def test_clocks_that_may_agree_are_not_called_wrong() -> None:
    """The header was written at some time during the run, in whole seconds."""
    offset = offset_in(document("Mon, 17 Nov 2025 08:30:01 GMT"))
    assert offset == Offset(least=-1.6 * SECOND, most=2.1 * SECOND)
    assert offset.surely == timedelta(0)


@pytest.mark.parametrize(
    ("date", "surely"), [("Mon, 17 Nov 2025 08:29:50 GMT", 9.4), ("Mon, 17 Nov 2025 08:31:03 GMT", -59.9)]
)
def test_the_certain_part_of_an_offset_is_told(date: str, surely: float) -> None:
    """Ahead is positive, behind is negative."""
    offset = offset_in(document(date))
    assert offset is not None
    assert offset.surely == surely * SECOND


@pytest.mark.parametrize(
    "seen", [{}, document("yesterday"), {"response_headers": [["Date", "Mon, 17 Nov 2025 08:30:01 GMT"]]}]
)
def test_evidence_without_a_readable_date_says_nothing(seen: dict[str, Any]) -> None:
    """No header, no date, or no times beside it."""
    assert offset_in(seen) is None


def test_several_answers_narrow_an_offset() -> None:
    """What holds by all of them; answers that contradict each other say nothing."""
    wide, late = Offset(least=-2 * SECOND, most=1 * SECOND), Offset(least=-1 * SECOND, most=2 * SECOND)
    assert agreed([wide, late]) == Offset(least=-1 * SECOND, most=1 * SECOND)
    assert agreed([wide, Offset(least=5 * SECOND, most=6 * SECOND)]) is None
    assert agreed([]) is None


def test_our_clock_is_wrong_only_where_every_server_says_so() -> None:
    """One server's own clock may be wrong; the nearest contradiction is what is certain."""
    ahead, more = Offset(least=5 * SECOND, most=8 * SECOND), Offset(least=60 * SECOND, most=63 * SECOND)
    fine = Offset(least=-1 * SECOND, most=2 * SECOND)
    assert clock_fault([]) is None
    assert clock_fault([ahead, fine]) is None
    told = clock_fault([more, ahead])
    assert told == "our wall clock is at least 5 s ahead of the servers': look at its synchronisation"
    behind = clock_fault([Offset(least=-9 * SECOND, most=-7 * SECOND)])
    assert behind is not None
    assert "at least 7 s behind" in behind


def test_a_suspended_machine_is_told_from_a_clock_that_was_set() -> None:
    """A clock that counts sleep too explains the step, or it does not."""
    hour = timedelta(hours=1)
    assert step_words(hour, hour) == "the machine was suspended for 1 h"
    assert step_words(hour, timedelta(0)) == "the wall clock was set forward by 1 h"
    assert step_words(-hour, timedelta(0)) == "the wall clock was set back by 1 h"
