"""What stored outcomes mean, stored in its turn: derive, reconcile, decide; it holds no rule itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count

from monitor.core.alerting.decide import Policy, decide
from monitor.core.alerting.next_change import LOOK_AGAIN, next_change
from monitor.core.alerting.notice import Notice
from monitor.core.alerting.wording import MessageSettings
from monitor.core.incidents.derive import derive, settle
from monitor.core.incidents.incident import Change, Derivation, IncidentKind, StoredIncident
from monitor.core.incidents.monitor_incidents import (
    UNSTABLE_OVER,
    MonitorIncidents,
    blind_troubles,
    unstable_troubles,
)
from monitor.core.incidents.reconcile import cells_of, horizon, is_derived, match, reconcile
from monitor.core.incidents.suspicions import suspicions, undecided
from monitor.core.model import Cell, State
from monitor.core.outages.history import History, until_after
from monitor.core.outages.masking import pause
from monitor.core.outages.rule import Rule, rule_to_json
from monitor.core.scheduling.attention import Watching, watch
from monitor.core.scheduling.slots import EPOCH
from monitor.pipeline.observe import new_id
from monitor.pipeline.pace import NOTHING, Outlook, Pace
from monitor.store.database.engine import Database, Transaction
from monitor.store.derivation.history import StoreHistory
from monitor.store.derivation.maintenance import read_maintenance
from monitor.store.derivation.unjudged import clear_unjudged, read_unjudged
from monitor.store.incidents.evidence import read_latest
from monitor.store.incidents.incidents import (
    add_entries,
    next_number,
    read_incidents_since,
    read_opinions,
    read_windows,
    replace_windows,
    save_incident,
)
from monitor.store.incidents.notices import add_notices, read_notices_about

LOOK_BACK = timedelta(hours=6)  # how far before a bad run deriving reads where nothing was wrong before


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivationSettings:
    """What the verdict rests on beside the outcomes. Without policies nothing is ever owed."""

    location: str = "default"
    rule: Rule = field(default_factory=Rule)
    every: Mapping[str, timedelta] = field(default_factory=dict)  # by target key
    policies: Sequence[Policy] = ()
    voice: MessageSettings = field(default_factory=MessageSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentUpdate:
    """What changed, what is owed because of it, and how closely to watch the cells concerned."""

    changes: Sequence[Change] = ()
    notices: Sequence[Notice] = ()
    watchings: Sequence[Watching] = ()
    outlook: Outlook = NOTHING


def update_incidents(
    tx: Transaction,
    house: DerivationSettings,
    *,
    now: datetime,
    touched: datetime | None,
    bad: bool,
    pace: Pace | None = None,
) -> IncidentUpdate:
    """Bring the stored verdict up to date after runs were added.

    *touched* is the start of the earliest of them (None: only time passed), *bad* whether any did not
    pass or came late. Where everything passed in its time and nothing is unresolved there is nothing to
    derive: the usual case.
    """
    since = now if touched is None else touched
    living = read_incidents_since(tx, since)
    if not bad and not living:
        return IncidentUpdate(outlook=Outlook(at=now, due=now + LOOK_AGAIN))
    # One seek per cell in one statement; cell by cell it would be several statements for each.
    stored = StoreHistory(tx, house.every).prefetch(
        min([since, *(one.start for one in living if is_derived(one))]) - LOOK_BACK, now
    )
    plans = read_maintenance(tx)
    history = pause(stored, plans)
    known, derivation = settle(
        history,
        house.rule,
        now=now,
        touched=touched,
        stored_since=partial(read_incidents_since, tx),
        clearings=None if pace is None else pace.clearings(stored, (house.rule, plans)),
    )
    return _settle(tx, history, house, now, derivation, known)


def update_all_incidents(database: Database, house: DerivationSettings) -> IncidentUpdate:
    """Derive the verdict over the whole history, as of its newest outcome; nothing is owed by it.

    For outcomes that came from elsewhere: their news is old, and nothing in it is the owner's. What time
    alone has ended stays ended.
    """
    silent = replace(house, policies=())
    with database.write() as tx:
        clear_unjudged(tx)
        history = StoreHistory(tx, house.every)
        newest = history.newest()
        if newest is None:
            return IncidentUpdate()
        whole = pause(history.prefetch(None, newest), read_maintenance(tx))
        derivation = derive(whole, house.rule, now=newest)
        known = read_incidents_since(tx, EPOCH)
        now = max([newest, *(one.updated_at for one in known)])
        return _settle(tx, whole, silent, now, derivation, known, old_news=True)


def judge_what_was_left(database: Database, house: DerivationSettings) -> bool:
    """Derive what a killed import or a fault of ours left unjudged; whether there was any."""
    with database.read() as tx:
        left = read_unjudged(tx) is not None
    if left:
        update_all_incidents(database, house)
    return left


def attention_now(database: Database, house: DerivationSettings, *, now: datetime) -> Sequence[Watching]:
    """How closely the cells of unresolved incidents are to be watched: what a start begins with."""
    with database.read() as tx:
        living = read_incidents_since(tx, now)
        history = pause(StoreHistory(tx, house.every), read_maintenance(tx))
        derivation = derive(history, house.rule, now=now, since=horizon(living, history, now))
        return _watch(history, house, derivation, living, now) if living else ()


def _settle(
    tx: Transaction,
    history: History,
    house: DerivationSettings,
    now: datetime,
    derivation: Derivation,
    known: Sequence[StoredIncident],
    *,
    old_news: bool = False,
) -> IncidentUpdate:
    numbers = _numbers(tx)
    waiting = undecided(history, derivation, house.rule, now)
    changes = reconcile(
        known,
        derivation,
        suspicions(history, derivation, house.rule, now),
        undecided=dict.fromkeys(waiting, frozenset[Cell]()) if old_news else waiting,
        now=now,
        rule_json=rule_to_json(house.rule),
        next_number=numbers,
        new_id=partial(new_id, now),
        plans=read_maintenance(tx),
    )
    _save(tx, changes)
    current = _after(known, changes)
    matched = match(current, derivation.incidents, now)
    owners = {
        (window.cell, window.state, window.start): matched[incident.number].id
        for incident in derivation.incidents
        for window in incident.windows
    }
    replace_windows(
        tx,
        derivation.since,
        [(window, owners.get((window.cell, window.state, window.start))) for window in derivation.windows],
    )
    if not old_news:
        owned = _attend_to_owner(tx, house, derivation, known, numbers, now)
        changes, current = [*changes, *owned], _after(current, owned)
    known_notices, notices = _owe(tx, house, current, now)
    return IncidentUpdate(
        changes=changes,
        notices=notices,
        watchings=_watch(history, house, derivation, current, now),
        outlook=_look_out(history, house, derivation, current, known_notices, now),
    )


def _look_out(
    history: History,
    house: DerivationSettings,
    derivation: Derivation,
    current: Sequence[StoredIncident],
    notices: Iterable[Notice],
    now: datetime,
) -> Outlook:
    """When to judge again, and at which runs."""
    places = {span.location for span in derivation.unmeasured if span.lasting and span.cell is None}
    failing = {window.cell for window in derivation.windows if window.open and window.state is State.DOWN}
    looked_at = _cells_of(current) | failing | {pending.cell for pending in derivation.pending}
    return Outlook(
        at=now,
        due=next_change(history, derivation, current, notices, house.voice.repeat, now),
        concerned=frozenset(looked_at | {cell for cell in history.cells() if cell.location in places}),
        failing=frozenset(failing),
    )


def _save(tx: Transaction, changes: Iterable[Change]) -> None:
    for change in changes:
        save_incident(tx, change.incident)
        add_entries(tx, change.entries)


def _attend_to_owner(
    tx: Transaction,
    house: DerivationSettings,
    derivation: Derivation,
    known: Sequence[StoredIncident],
    numbers: Callable[[], int],
    now: datetime,
) -> Sequence[Change]:
    """The changes of what the owner alone is told, stored; it rests on the windows just stored."""
    flapping = derivation.windows or any(one.kind is IncidentKind.UNSTABLE for one in known)
    recent = read_windows(tx, now - UNSTABLE_OVER, until_after(now)) if flapping else ()
    desk = MonitorIncidents(
        now=now,
        since=derivation.since,
        rule=rule_to_json(house.rule),
        next_number=numbers,
        new_id=partial(new_id, now),
    )
    troubles = [*blind_troubles(derivation.unmeasured, now), *unstable_troubles(recent, now)]
    changes = desk.reconcile(known, troubles)
    _save(tx, changes)
    return changes


def _numbers(tx: Transaction) -> Callable[[], int]:
    """Numbers in turn from the next free one: incidents of one reconciliation are stored after it."""
    taken = count(next_number(tx))
    return lambda: next(taken)


def _after(known: Iterable[StoredIncident], changes: Iterable[Change]) -> list[StoredIncident]:
    """The incidents with the changes in place, in a stable order."""
    current = {one.id: one for one in known} | {change.incident.id: change.incident for change in changes}
    return sorted(current.values(), key=lambda one: (one.start, one.number or 0, one.id))


def _owe(
    tx: Transaction, house: DerivationSettings, current: Sequence[StoredIncident], now: datetime
) -> tuple[Sequence[Notice], Sequence[Notice]]:
    """All notices about the numbered incidents, and those of them that the channels are owed now."""
    told = [one for one in current if one.number is not None]
    if not house.policies or not told:
        return (), ()
    known = read_notices_about(tx, [one.id for one in told])
    decisions = decide(
        told,
        known,
        house.policies,
        now=now,
        voice=house.voice,
        latest=partial(read_latest, tx, now=now),
        opinions=read_opinions(tx, [one.id for one in told]),
    )
    owed = [decision.notice for decision in decisions if decision.send and decision.notice]
    add_notices(tx, owed)
    return (*known, *owed), owed


def _watch(
    history: History,
    house: DerivationSettings,
    derivation: Derivation,
    current: Iterable[StoredIncident],
    now: datetime,
) -> Sequence[Watching]:
    """The cells of what is unresolved, and those of what has just ended, which are calm again."""
    cells = _cells_of(current).intersection(history.cells())
    return [watch(history, cell, house.rule, derivation.windows, now) for cell in sorted(cells)]


def _cells_of(current: Iterable[StoredIncident]) -> set[Cell]:
    return {cell for one in current for cell in cells_of(one)}
