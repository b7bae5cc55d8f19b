"""What a look at control hosts says of a run beside it."""

from __future__ import annotations

from datetime import timedelta

from monitor.core.outages.self_observations import NEAR, Controls, SelfObservation, SelfObservationKind
from tests.support.outcomes import minutes

HOST = "example.com:443"


def look(start: float, end: float, *, good: bool, host: str = HOST) -> SelfObservation:
    """Looks at a host from one minute to another."""
    return SelfObservation("berlin", SelfObservationKind.CONTROL, host, good, minutes(start), minutes(end))


def test_the_look_that_was_going_on_decides() -> None:
    """Between two looks that said the same nothing else is assumed."""
    controls = Controls([look(0, 5, good=True)])
    assert controls.reached(minutes(3)) == (HOST,)
    assert controls.lost(minutes(3)) == ()


def test_between_two_answers_the_later_look_decides() -> None:
    """It was made because of the run, and nearer to its end."""
    controls = Controls([look(0, 1, good=True), look(2, 4, good=False)])
    assert controls.reached(minutes(1.5)) == ()
    assert controls.lost(minutes(1.5)) == (HOST,)


def test_a_look_far_away_says_nothing() -> None:
    """Beyond two minutes on either side nothing is known, which is neither reached nor lost."""
    controls = Controls([look(0, 1, good=False)])
    far = minutes(1) + NEAR + timedelta(milliseconds=1)
    assert (controls.reached(far), controls.lost(far)) == ((), ())
    assert controls.lost(minutes(1) + NEAR) == (HOST,)
    assert controls.lost(minutes(0) - NEAR - timedelta(milliseconds=1)) == ()


def test_one_host_that_answers_is_enough() -> None:
    """Hosts are lost only where none of them answers."""
    controls = Controls([look(0, 5, good=False), look(0, 5, good=True, host="example.org:443")])
    assert controls.reached(minutes(2)) == ("example.org:443",)
    assert controls.lost(minutes(2)) == ()


def test_a_host_reached_meanwhile_parts_two_instants() -> None:
    """What lies between two runs counts, however far from both."""
    controls = Controls([look(0, 1, good=False), look(10, 11, good=True), look(20, 21, good=False)])
    assert controls.reached_between(minutes(0), minutes(20))
    assert not controls.reached_between(minutes(0), minutes(1))
    assert not controls.reached_between(minutes(14), minutes(20))


def test_what_the_monitor_saw_of_itself_is_no_control_host() -> None:
    """A stretch of our own is told elsewhere."""
    own = SelfObservation(
        "berlin", SelfObservationKind.OWN, "clock", good=False, start=minutes(0), end=minutes(5)
    )
    assert Controls([own]).lost(minutes(1)) == ()
