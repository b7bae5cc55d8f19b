"""From recorded runs to windows, incidents and notices, minute by minute, with a clock set by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.core.alerting.decide import Policy
from monitor.core.alerting.notice import NoticeKind
from monitor.core.alerting.wording import headline
from monitor.core.incidents.incident import EntryKind, IncidentKind, Phase
from monitor.core.model import Blame, Verdict
from monitor.core.outages.self_observations import SelfObservation, SelfObservationKind
from monitor.core.scheduling.attention import Attention
from monitor.pipeline.derive import attention_now, update_all_incidents
from monitor.pipeline.observe import Observed
from monitor.pipeline.record import record
from monitor.store.database.engine import Database
from monitor.store.incidents.incidents import read_unresolved_incidents
from monitor.store.incidents.notices import claim_notice, settle_notice
from monitor.store.outcomes.add import add_outcomes
from tests.support.recorded_minutes import FAILING, HOUSE, MINUTE, REST, WHISPER, Stretch, run_of
from tests.support.stored_outcomes import DAY

KINDS = (NoticeKind.OPENED, NoticeKind.RECOVERING, NoticeKind.RESOLVED)


def deliver_all(stretch: Stretch) -> None:
    """Have everything delivered that is owed."""
    with stretch.database.write() as tx:
        while notice := claim_notice(tx, stretch.now, MINUTE):
            settle_notice(tx, notice.id, now=stretch.now, sent=True)


def test_one_bad_run_is_a_suspicion_and_no_incident(sqlite_database: Database) -> None:
    """It is kept, it has no number, nobody is told, and its cell is watched closely with its neighbours."""
    stretch = Stretch(sqlite_database)
    judged = stretch.fail("....x").judged
    with sqlite_database.read() as tx:
        (suspicion,) = read_unresolved_incidents(tx)
    assert (suspicion.phase, suspicion.number) == (Phase.SUSPECTED, None)
    assert not stretch.notices()
    (watching,) = judged.watchings
    assert (watching.cell, watching.attention) == (FAILING, Attention.CONFIRMING)
    assert watching.first_bad == suspicion.start


def test_three_of_five_open_an_incident_that_began_at_the_first(database: Database) -> None:
    """The incident starts when it began; its controls, blame and opening notice are there at once."""
    stretch = Stretch(database)
    stretch.fail("." * 10 + "xxx")
    incident = stretch.incident()
    assert (incident.phase, incident.number, incident.blame) == (Phase.OPEN, 1, Blame.PROVIDER)
    assert incident.start == run_of(FAILING, 10, Verdict.FAILED).started_at
    assert incident.opened_at == run_of(FAILING, 12, Verdict.FAILED).started_at
    beside = [(one.cell.target, one.passed, one.total) for one in incident.diagnosis.unaffected]
    assert beside == [(REST.target, 3, 3), (WHISPER.target, 3, 3)]
    (notice,) = stretch.notices()
    assert (notice.kind, notice.channel, notice.sequence) == (NoticeKind.OPENED, "oncall", 1)
    stretch.check_agreement(stretch.now)


def test_good_runs_recover_and_only_time_resolves(database: Database) -> None:
    """Five good runs close the window; the continue-time has to pass, without any run, for the end."""
    stretch = Stretch(database)
    stretch.fail("." * 10 + "xxxx" + "....")
    assert stretch.phases() == [Phase.OPEN]
    stretch.fail(".")
    assert stretch.phases() == [Phase.RECOVERING]
    stretch.turn(minutes=5)
    assert stretch.phases() == [Phase.RECOVERING]
    judged = stretch.turn(minutes=16).judged
    assert [change.incident.phase for change in judged.changes] == [Phase.RESOLVED]
    assert stretch.incident().end == run_of(FAILING, 14, Verdict.PASSED).started_at
    assert stretch.entries() == [
        EntryKind.SUSPECTED,
        EntryKind.OPENED,
        EntryKind.RECOVERING,
        EntryKind.RESOLVED,
    ]


def test_the_end_is_told_step_by_step_to_whom_the_beginning_was(sqlite_database: Database) -> None:
    """Opened, recovering and resolved are owed in that order, each once."""
    stretch = Stretch(sqlite_database)
    stretch.fail("." * 10 + "xxxx")
    deliver_all(stretch)
    stretch.fail(".....")
    deliver_all(stretch)
    stretch.turn(minutes=16)
    stretch.turn(minutes=17)
    notices = stretch.notices()
    assert tuple(notice.kind for notice in notices) == KINDS
    assert [notice.sequence for notice in notices] == [1, 2, 3]


def test_a_relapse_within_the_continue_time_is_the_same_incident(sqlite_database: Database) -> None:
    """The window is taken up again under its number; nothing new is opened."""
    stretch = Stretch(sqlite_database)
    stretch.fail("." * 10 + "xxxx" + "......" + "xxx")
    incident = stretch.incident()
    assert (incident.phase, incident.number) == (Phase.OPEN, 1)
    assert EntryKind.RELAPSED in stretch.entries()
    stretch.check_agreement(stretch.now)


def test_another_outage_later_is_another_incident(sqlite_database: Database) -> None:
    """Past the continue-time a new window opens a new number."""
    stretch = Stretch(sqlite_database)
    stretch.fail("." * 10 + "xxxx" + "." * 30 + "xxx")
    assert [one.number for one in stretch.incidents()] == [2, 1]
    assert stretch.phases() == [Phase.OPEN, Phase.RESOLVED]
    stretch.check_agreement(stretch.now)


def test_a_suspicion_that_comes_to_nothing_is_dismissed(sqlite_database: Database) -> None:
    """Good runs settle the look-back of both tracks; no number is used up and nobody was told."""
    stretch = Stretch(sqlite_database)
    stretch.fail("....x" + "." * 18)
    with sqlite_database.read() as tx:
        assert not read_unresolved_incidents(tx)
    stretch.fail("xxx")
    assert stretch.incident().number == 1


def test_every_hour_a_lasting_incident_is_told_again(sqlite_database: Database) -> None:
    """With the opening delivered, an update is owed once the repeat interval has passed, and not before."""
    stretch = Stretch(sqlite_database)
    stretch.fail("." * 10 + "xxx")
    deliver_all(stretch)
    stretch.fail("x" * 59)
    assert len(stretch.notices()) == 1
    stretch.fail("xx")
    deliver_all(stretch)
    kinds = [notice.kind for notice in stretch.notices()]
    assert kinds == [NoticeKind.OPENED, NoticeKind.UPDATED]


def test_degraded_then_down_is_one_incident_and_the_rise_is_told_at_once(sqlite_database: Database) -> None:
    """Slow at first, then failing: one number, and the second notice comes with the run that decides it."""
    stretch = Stretch(sqlite_database)
    stretch.fail("." * 10 + "dddd")
    deliver_all(stretch)
    stretch.fail("xxx")
    assert stretch.incident().number == 1
    opened, risen = stretch.notices()
    assert (opened.kind, risen.kind) == (NoticeKind.OPENED, NoticeKind.UPDATED)
    assert (opened.body["data"]["state"], risen.body["data"]["state"]) == ("degraded", "down")
    assert risen.created_at == stretch.now - MINUTE
    stretch.check_agreement(stretch.now)


def test_a_target_that_is_watched_no_more_stops_reminding(sqlite_database: Database) -> None:
    """Its outage stays open and says since when nothing is known; in thirty hours that is told once."""
    stretch = Stretch(sqlite_database)
    stretch.fail("." * 10 + "xxx")
    deliver_all(stretch)
    for hour in range(1, 30):
        stretch.turn(hours=hour, minutes=2)
        deliver_all(stretch)
    opened, silent = stretch.notices()
    assert (opened.kind, silent.kind) == (NoticeKind.OPENED, NoticeKind.UPDATED)
    assert "No run since 00:12 UTC" in silent.body["data"]["text"]
    assert "No run since 00:12:00 UTC" in headline(stretch.incident())


def test_what_passes_derives_nothing(sqlite_database: Database) -> None:
    """With nothing bad and nothing unresolved there is no change, no notice and nothing to watch."""
    stretch = Stretch(sqlite_database)
    judged = stretch.fail("." * 20).judged
    assert (judged.changes, judged.notices, judged.watchings) == ((), (), ())


def test_a_channel_is_told_only_what_it_asks_for(sqlite_database: Database) -> None:
    """A channel for the account's faults hears nothing of the provider's."""
    owner = replace(HOUSE, policies=[Policy(channel="owner", when=frozenset({"account"}))])
    stretch = Stretch(sqlite_database, house=owner)
    stretch.fail("." * 10 + "xxx")
    assert stretch.incident().number == 1
    assert not stretch.notices()


def test_a_restart_in_between_changes_nothing(database: Database) -> None:
    """All state is in the database: another process goes on with the same incident and the same notice."""
    first = Stretch(database)
    first.fail("." * 10 + "xxx")
    incident, notices = first.incident(), first.notices()
    second = Stretch(database, minute=first.minute)
    second.turn(seconds=30)
    second.fail("xx")
    assert (second.incident().id, second.incident().number) == (incident.id, incident.number)
    assert [notice.id for notice in second.notices()] == [notice.id for notice in notices]
    second.check_agreement(second.now)


def test_a_turn_that_brings_nothing_writes_nothing(database: Database) -> None:
    """An open incident that says the same is not stored again every two seconds."""
    stretch = Stretch(database)
    stretch.fail("." * 10 + "xxx")
    before = stretch.incident()
    assert not stretch.turn(seconds=10).judged.changes
    assert stretch.incident() == before


def test_a_start_watches_what_is_unresolved(sqlite_database: Database) -> None:
    """The cells of an open incident are watched from the first moment; without one, none is."""
    stretch = Stretch(sqlite_database)
    stretch.fail("." * 10)
    assert not attention_now(sqlite_database, HOUSE, now=stretch.now)
    stretch.fail("xxx")
    found = {one.cell: one.attention for one in attention_now(sqlite_database, HOUSE, now=stretch.now)}
    assert found == {FAILING: Attention.OPEN}
    stretch.fail(".")
    found = {one.cell: one.attention for one in attention_now(sqlite_database, HOUSE, now=stretch.now)}
    assert found == {FAILING: Attention.CLOSING}


def test_a_late_run_corrects_the_beginning(sqlite_database: Database) -> None:
    """A failed run that arrives late moves the window's start, and the incident keeps its number."""
    stretch = Stretch(sqlite_database)
    stretch.fail("." * 10)
    stretch.record({REST: ".", WHISPER: "."})
    stretch.fail("xxx")
    before = stretch.incident()
    late = run_of(FAILING, 10, Verdict.FAILED)
    record(sqlite_database, [Observed(outcome=late, evidence=None)], HOUSE, now=stretch.now)
    after = stretch.incident()
    assert (after.id, after.number, after.start) == (before.id, 1, late.started_at)
    stretch.check_agreement(stretch.now)


@pytest.mark.parametrize("letters", ["xxxx.....xxxx", "x.x.x.x.x.x", "xxdd..?xx..dddd....x", "?????xxx"])
def test_what_is_stored_is_what_deriving_afresh_gives(sqlite_database: Database, letters: str) -> None:
    """Minute by minute or at once, stored windows and incidents equal the derivation of the whole history."""
    stretch = Stretch(sqlite_database)
    stretch.fail("." * 10)
    for letter in letters:
        stretch.fail(letter)
        stretch.check_agreement(stretch.now - MINUTE)


def test_outcomes_from_elsewhere_make_incidents_and_owe_nothing(database: Database) -> None:
    """An import derives the verdict as of the newest outcome; its news is old, so nobody is told."""
    runs = [
        run_of(FAILING, minute, Verdict.FAILED if 10 <= minute < 20 else Verdict.PASSED)
        for minute in range(60)
    ]
    with database.write() as tx:
        add_outcomes(tx, [(run, None) for run in runs])
    update_all_incidents(database, HOUSE)
    stretch = Stretch(database, minute=60)
    incident = stretch.incident()
    assert (incident.phase, incident.start) == (Phase.RESOLVED, runs[10].started_at)
    assert not stretch.notices()
    update_all_incidents(database, HOUSE)
    assert stretch.incident() == incident
    stretch.check_agreement(runs[-1].started_at)


def test_an_import_takes_no_resolution_back(sqlite_database: Database) -> None:
    """What time alone resolved, without a newer run, stays resolved; its timeline says so once."""
    stretch = Stretch(sqlite_database)
    stretch.fail("." * 10 + "xxxx" + ".....")
    stretch.turn(minutes=30)
    before = stretch.incident()
    assert before.phase is Phase.RESOLVED
    with sqlite_database.write() as tx:
        add_outcomes(tx, [(run_of(FAILING._replace(location="oslo"), 0, Verdict.PASSED), None)])
    update_all_incidents(sqlite_database, HOUSE)
    stretch.turn(minutes=31)
    assert (stretch.incident().phase, stretch.incident().resolved_at) == (before.phase, before.resolved_at)
    assert stretch.entries().count(EntryKind.RESOLVED) == 1


def test_an_empty_database_has_no_verdict(sqlite_database: Database) -> None:
    """Deriving over nothing changes nothing."""
    assert not update_all_incidents(sqlite_database, HOUSE).changes
    assert not attention_now(sqlite_database, HOUSE, now=DAY + timedelta(days=1))


OWNER = Policy(channel="owner", when=frozenset({"account", "monitor"}))
WATCHED = replace(HOUSE, policies=[*HOUSE.policies, OWNER])


def test_a_blind_location_is_told_to_the_owner_alone(database: Database) -> None:
    """Runs that measure nothing open no outage; after a minute the owner hears of it, and hears its end."""
    stretch = Stretch(database, WATCHED)
    stretch.record({FAILING: "....????", REST: "....????", WHISPER: "....????"})
    blind = stretch.incident()
    assert (blind.kind, blind.phase) == (IncidentKind.BLIND, Phase.OPEN)
    assert [(one.channel, one.kind) for one in stretch.notices()] == [("owner", NoticeKind.OPENED)]
    stretch.check_agreement(stretch.now)
    deliver_all(stretch)
    stretch.record({FAILING: "..", REST: "..", WHISPER: ".."})
    assert stretch.phases() == [Phase.RECOVERING]
    deliver_all(stretch)
    stretch.turn(minutes=20)
    assert stretch.phases() == [Phase.RESOLVED]
    assert [one.kind for one in stretch.notices()] == list(KINDS)


def test_a_suspended_machine_is_told_as_blind_without_any_run(sqlite_database: Database) -> None:
    """What the monitor saw of itself is enough."""
    stretch = Stretch(sqlite_database, WATCHED)
    stretch.fail("....")
    slept = SelfObservation(
        "berlin", SelfObservationKind.OWN, "clock", False, stretch.now, stretch.now + 60 * MINUTE, "suspended"
    )
    record(sqlite_database, [slept], WATCHED, now=stretch.now + 60 * MINUTE)
    one = stretch.incident()
    assert (one.kind, one.phase, one.start) == (IncidentKind.BLIND, Phase.RECOVERING, slept.start)
    (notice,) = stretch.notices()
    assert (notice.channel, notice.body["data"]["state"]) == ("owner", "recovering")


def test_a_flapping_target_makes_one_unstable_incident_beside_its_outages(
    sqlite_database: Database,
) -> None:
    """The seventh opening in a day; the owner is told once, whoever is on call of every outage."""
    stretch = Stretch(sqlite_database, WATCHED)
    for _ in range(7):
        stretch.fail("xxx" + "." * 25)
        deliver_all(stretch)
    stretch.fail("....")
    unstable = [one for one in stretch.incidents() if one.kind is IncidentKind.UNSTABLE]
    outages = [one for one in stretch.incidents() if one.kind is IncidentKind.OUTAGE]
    assert ([one.phase for one in unstable], len(outages)) == ([Phase.OPEN], 7)
    told = [one for one in stretch.notices() if one.channel == "owner"]
    assert [one.kind for one in told] == [NoticeKind.OPENED]
    stretch.check_agreement(stretch.now)
    stretch.turn(hours=25)
    assert {one.phase for one in stretch.incidents()} == {Phase.RESOLVED}


def test_an_import_tells_the_owner_nothing(sqlite_database: Database) -> None:
    """What was dark elsewhere, at another time, is not this monitor's."""
    runs = [(run_of(FAILING, minute, Verdict.INCONCLUSIVE), None) for minute in range(30)]
    with sqlite_database.write() as tx:
        add_outcomes(tx, runs)
    update_all_incidents(sqlite_database, WATCHED)
    assert Stretch(sqlite_database).incidents() == ()
