"""Would this alert have fired? The notices of a history lived through once more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from monitor.core.alerting.decide import Policy
from monitor.core.alerting.simulate import Simulation, simulate, simulation_lines, simulation_to_json
from monitor.core.alerting.wording import MessageSettings
from monitor.core.incidents.derive import derive
from monitor.core.model import Outcome
from monitor.core.outages.rule import Rule
from tests.support.memory_history import MemoryHistory
from tests.support.outcomes import minutes, row

ONCALL = Policy(channel="oncall")


def lived(
    runs: Sequence[Outcome], minute: float, policy: Policy = ONCALL, since: float | None = None
) -> Simulation:
    """What the channel would have heard up to some minute."""
    history, now = MemoryHistory(runs), minutes(minute)
    derivation = derive(history, Rule(), now=now, since=None if since is None else minutes(since))
    return simulate(history, derivation, policy, now=now, voice=MessageSettings())


def told(rehearsal: Simulation) -> list[tuple[str, float]]:
    """The kinds of the notices, with their minutes."""
    return [
        (notice.kind.removeprefix("incident."), (notice.created_at - minutes(0)) / timedelta(minutes=1))
        for notice in rehearsal.notices
    ]


def test_an_outage_is_told_when_it_is_decided_hourly_and_at_its_end() -> None:
    """Opened at the third failure, updated after an hour, recovering, resolved."""
    found = told(lived(row("." * 10 + "F" * 70 + "." * 30), 120))
    assert [kind for kind, _ in found] == ["opened", "updated", "recovering", "resolved"]
    assert [round(at) for _, at in found] == [12, 72, 84, 94]


def test_a_relapse_that_the_end_does_not_show_is_told() -> None:
    """The window is one in the end; meanwhile it was closed and opened again."""
    kinds = [kind for kind, _ in told(lived(row("." * 10 + "FFF" + "." * 8 + "FFF" + "." * 40), 60))]
    assert kinds == ["opened", "recovering", "updated", "recovering", "resolved"]


def test_what_a_channel_does_not_ask_for_is_silent_with_its_reason() -> None:
    """One notice to nobody: the reason stands beside the incident."""
    runs = row("." * 10 + "FFF" + "." * 40)
    found = lived(runs, 60, Policy(channel="owner", when=frozenset({"account"})))
    assert found.notices == ()
    ((_, reason),) = found.silent
    assert reason == "the channel does not ask for 'down'"
    assert simulation_to_json(found)["fired"] is False
    first, second = simulation_lines(found)
    assert first == "0 notices to owner"
    assert second.endswith("the channel does not ask for 'down'")


def test_a_later_beginning_leaves_out_what_ended_before() -> None:
    """Only the second of two outages is lived through."""
    runs = row("." * 10 + "FFF" + "." * 40 + "FFF" + "." * 40)
    found = lived(runs, 100, since=45)
    assert [round(at) for _, at in told(found)][:1] == [55]
    assert found.silent == ()


def test_a_rehearsal_says_what_would_have_been_sent() -> None:
    """The texts of the notices, by their time."""
    found = lived(row("." * 10 + "FFF"), 12.5)
    told = simulation_to_json(found)
    assert (told["channel"], told["fired"]) == ("oncall", True)
    assert told["notices"][0]["type"] == "incident.opened"
    assert "since 08:40 UTC, 2 min" in told["notices"][0]["text"]
    assert list(simulation_lines(found)) == [
        "1 notice to oncall",
        "  2025-11-17T08:42:10Z incident.opened: Down: gpt-4o-transcribe · realtime · swedencentral",
    ]


def test_without_outcomes_nothing_fires() -> None:
    """An empty history has no moment but now."""
    history = MemoryHistory([])
    derivation = derive(history, Rule(), now=minutes(0))
    found = simulate(history, derivation, ONCALL, now=minutes(0), voice=MessageSettings())
    assert (found.notices, found.silent) == ((), ())
