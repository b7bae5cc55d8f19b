"""The independent judge: reads database, notices and samples, and says what is not as planted or promised.

It imports nothing of the product and shares no code with it. What the rule means is read afresh from its
definition: 3 of the last 5 conclusive runs bad over at least a minute is *down*, 4 of the last 20 *degraded*.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import statistics
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.soak.planted import Difference, Facts, Heard, Planted, Sample

SETTLING = timedelta(
    seconds=60
)  # what may pass until the confirming and neighbour runs of an incident are in
A_RUN = timedelta(seconds=12)  # how long a run that is answered may last
TELLING = timedelta(seconds=15)  # looking for what is owed, and sending it
TOLERANCE = timedelta(seconds=1)
SPAN = timedelta(seconds=60)
OPEN_EVERY = timedelta(seconds=60)  # how far apart runs are at most while a window is open
RETRIED = timedelta(minutes=5)  # how soon a receiver that is back after at most two hours is tried again
MASKED = 3  # failed runs beside another host's failure
LINGERS = timedelta(hours=3)  # after its trouble is over nobody speaks of it any more, unless runs are rare
CONTINUES = 8  # intervals within which a relapse continues a window: before that nothing is resolved
ZERO = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One stored run."""

    slot: datetime
    start: datetime
    end: datetime
    kind: str
    verdict: str

    @property
    def bad(self) -> bool:
        """Whether it counts against *down*."""
        return self.verdict == "failed"


@dataclass(slots=True)
class Stored:
    """What the database holds, by target key."""

    runs: dict[str, list[Run]] = field(default_factory=lambda: defaultdict(list))
    skips: dict[str, list[tuple[datetime, datetime]]] = field(default_factory=lambda: defaultdict(list))
    facets: dict[str, dict[str, str | None]] = field(default_factory=dict)
    incidents: dict[int, dict[str, Any]] = field(default_factory=dict)  # numbered ones


@dataclass(slots=True)
class Opinion:
    """What the judge found."""

    seed: int
    planted: int = 0
    found: int = 0
    late: int = 0
    false: int = 0
    differences: list[Difference] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """For people: one line, and one for each difference."""
        yield (
            f"seed {self.seed}: planted {self.planted}, found {self.found}, late {self.late}, "
            f"false {self.false}, differences {len(self.differences)}"
        )
        yield from (f"  {one.line()}" for one in self.differences)


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def read(path: Path) -> Stored:
    """Everything that is needed of a database, by plain SQL."""
    stored = Stored()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        names = {}
        for row in connection.execute("select c.id, t.* from cells c join targets t on t.id = c.target_id"):
            key = f"{row['endpoint']}/{row['model']}/{row['pathway']}"
            names[row[0]] = key
            stored.facets[key] = {
                facet: row[facet] for facet in ("endpoint", "model", "pathway", "provider", "region")
            }
        wanted = "select cell_id, slot, started_at, finished_at, kind, verdict from outcomes"
        for cell, slot, start, end, kind, verdict in connection.execute(f"{wanted} order by started_at, uid"):
            run = Run(
                slot=_instant(slot), start=_instant(start), end=_instant(end), kind=kind, verdict=verdict
            )
            stored.runs[names[cell]].append(run)
        for row in connection.execute("select * from skips"):
            first = _instant(row["slot"])
            last = first + (row["slots"] - 1) * timedelta(milliseconds=row["every_ms"])
            stored.skips[names[row["cell_id"]]].append((first, last))
        for row in connection.execute("select * from incidents where number is not null"):
            stored.incidents[row["number"]] = dict(row)
    return stored


# The rule, read afresh --------------------------------------------------------------------------------


def opens_at(
    runs: Sequence[Run], *, bad: int, of: int, span: timedelta, verdicts: frozenset[str]
) -> Run | None:
    """The first run with which so many of the last ones are bad, the latest among them; None for never."""
    seen: list[Run] = []
    for run in runs:
        if run.verdict == "inconclusive":
            continue
        seen.append(run)
        recent = seen[-of:]
        while len(recent) < len(seen) and recent[-1].start - recent[0].start < span:
            recent = seen[-len(recent) - 1 :]
        count = sum(one.verdict in verdicts for one in recent)
        enough = count * of >= bad * len(recent) and count >= bad and len(recent) >= bad
        if run.verdict in verdicts and enough and run.start - recent[0].start >= span:
            return run
    return None


def down_at(runs: Sequence[Run], span: timedelta = SPAN - TOLERANCE) -> Run | None:
    """The run that opens *down*."""
    return opens_at(runs, bad=3, of=5, span=span, verdicts=frozenset({"failed"}))


def degraded_at(runs: Sequence[Run]) -> Run | None:
    """The run that opens *degraded*."""
    return opens_at(runs, bad=4, of=20, span=ZERO, verdicts=frozenset({"failed", "degraded"}))


class Judge:
    """Looks at one seed's facts."""

    def __init__(self, facts: Facts, stored: Stored) -> None:
        self.facts, self.stored = facts, stored
        self.opinion = Opinion(seed=facts.seed)
        self._told: dict[int, list[Heard]] = defaultdict(list)
        for heard in facts.heard:
            if heard.data.get("incident") is not None:
                self._told[heard.data["incident"]].append(heard)

    def judge(self) -> Opinion:
        """All of it."""
        owners = self._match()
        for planted in self.facts.planted:
            self._announced(planted, owners.get(planted.id, []))
        self._withdrawn()
        self._controls()
        self._slots()
        for sample in self.facts.samples:
            self._agrees(sample)
        self._flat()
        self.opinion.differences.sort(key=lambda one: (one.at or self.facts.end, one.what, one.where))
        return self.opinion

    def _differs(self, what: str, at: datetime | None, where: str, said: str) -> None:
        self.opinion.differences.append(Difference(what=what, at=at, where=where, said=said))

    # Announcing --------------------------------------------------------------------------------------

    def _outages(self) -> Iterator[int]:
        """The incidents that were told and are about targets, not about the monitor itself."""
        for number in self._told:
            row = self.stored.incidents.get(number)
            if row is None or row.get("kind", "outage") == "outage":
                yield number

    def _match(self) -> dict[int, list[int]]:
        """The told incidents of each planted trouble; what belongs to none was invented."""
        owners: dict[int, list[int]] = defaultdict(list)
        for number in self._outages():
            said = self._told[number]
            start = _parse(said[0].data["start"])
            affected = {target for heard in said for target in heard.data["affected"]}
            mine = [one for one in self.facts.planted if self._explains(one, start, affected)]
            if not mine:
                self.opinion.false += 1
                self._differs("invented", said[0].at, _listed(affected), said[0].data["title"])
            for planted in mine:
                owners[planted.id].append(number)
        return owners

    def _explains(self, planted: Planted, start: datetime, affected: set[str]) -> bool:
        begun = planted.start - A_RUN <= start <= planted.end + A_RUN
        return begun and bool(affected & set(planted.targets)) and not planted.hidden

    def _announced(self, planted: Planted, numbers: Sequence[int]) -> None:
        if planted.hidden:
            return  # whatever was told in it was invented, and said so
        self.opinion.planted += 1
        deadline, must = self._deadline(planted)
        opened = sorted(
            heard.at
            for number in numbers
            for heard in self._told[number]
            if heard.kind == "incident.opened" and set(heard.data["affected"]) & set(planted.targets)
        )
        where = planted.name
        if not opened:
            if must:
                self.opinion.late += 1
                self._differs("missed", planted.start, where, f"not announced, due by {deadline:%H:%M:%S}")
            return
        if must is None:
            self.opinion.false += 1
            self._differs("false", opened[0], where, "announced, though the rule never asks for it")
            return
        away = max((one.end for one in self.facts.disturbances if one.channel), default=None)
        if opened[0] > deadline and not (
            away and planted.start <= away and opened[0] <= away + RETRIED + TELLING
        ):
            self.opinion.late += 1
            late = opened[0] - deadline
            self._differs("late", opened[0], where, f"{_words(late)} after {deadline:%H:%M:%S}")
        else:
            self.opinion.found += 1
        worst = "degraded" if planted.how == "slow" else "down"
        if planted.share >= 1 and (state := self._opened_as(numbers, opened[0])) != worst:
            self._differs("state", opened[0], where, f"announced as {state}")
        if len(numbers) > 1 and planted.share >= 1:
            titles = "; ".join(str(self._told[number][0].data["title"]) for number in sorted(numbers))
            self._differs("split", opened[0], where, f"{len(numbers)} incidents for one cause: {titles}")
        self._as_planted(planted, numbers)

    def _opened_as(self, numbers: Sequence[int], at: datetime) -> str:
        """The state that the opening told then had."""
        return next(
            str(heard.data["state"])
            for number in numbers
            for heard in self._told[number]
            if heard.at == at and heard.kind == "incident.opened"
        )

    def _deadline(self, planted: Planted) -> tuple[datetime, bool | None]:
        """Until when it is to be announced; and whether it must (True), may (False), must not (None)."""
        beside = [one for one in self.facts.planted if one.start <= planted.end and one.end >= planted.start]
        alone = len(planted.targets) == 1 and beside == [planted]
        slack = A_RUN + TELLING + (timedelta(0) if alone else SETTLING)
        if planted.share < 1:
            return self._deadline_by_rule(planted, A_RUN + TELLING + SETTLING)
        if planted.how == "slow":
            return self._deadline_of_slowness(planted)
        promised = [self.facts.promises[key] for key in planted.targets]
        within = min(one.silent if planted.how == "silent" else one.confirmed for one in promised)
        if planted.how == "silent":
            slack += max(one.timeout for one in promised)
        if planted.retry_after:
            # We were asked to leave it alone twice, and each time one target of the deployment asks again.
            within += 2 * len(planted.targets) * timedelta(seconds=planted.retry_after)
        deadline = planted.start + within + slack
        for one in self.facts.disturbances:
            if one.channel is None and one.start <= deadline and one.end >= planted.start:
                deadline += one.end - one.start + max(promise.every for promise in promised)
        if planted.most is not None:
            return deadline, None
        if planted.end - planted.start < SPAN:
            return deadline, False if self._runs_met(planted) > 2 else None
        return deadline, planted.end >= deadline - slack

    def _runs_met(self, planted: Planted) -> int:
        return max(
            sum(planted.start <= run.start < planted.end for run in self.stored.runs[key])
            for key in planted.targets
        )

    def _deadline_of_slowness(self, planted: Planted) -> tuple[datetime, bool | None]:
        """Of what is slow nothing is promised, and no run confirms it: as the rule says of what is stored."""
        opening = []
        for key in planted.targets:
            before = [run for run in self.stored.runs[key] if run.start < planted.start][-20:]
            during = [run for run in self.stored.runs[key] if planted.start <= run.start <= planted.end]
            opening += [run for run in [degraded_at([*before, *during])] if run]
        deadline = min((run.end for run in opening), default=planted.end) + SETTLING + A_RUN + TELLING
        return deadline, True if opening else None

    def _deadline_by_rule(self, planted: Planted, slack: timedelta) -> tuple[datetime, bool | None]:
        """Of trouble that only some runs meet: as the rule says of what is stored."""
        opening, loosely = [], []
        for key in planted.targets:
            before = [run for run in self.stored.runs[key] if run.start < planted.start][-20:]
            during = [run for run in self.stored.runs[key] if planted.start <= run.start <= planted.end]
            certain = down_at([*before, *during], SPAN + TOLERANCE)
            opening += [certain] if certain else []
            loosely += [run for run in (down_at(during), degraded_at(during)) if run]
        if opening:
            return min(run.end for run in opening) + slack, True
        if loosely:
            # Failed runs alone are degraded only when *down* is no longer under decision.
            return max(run.end for run in loosely) + slack + timedelta(minutes=25), False
        return planted.end, None

    def _as_planted(self, planted: Planted, numbers: Sequence[int]) -> None:
        """Edges, blame and scope of what was made of it in the end."""
        kept = [
            self.stored.incidents[number]
            for number in numbers
            if number in self.stored.incidents and self.stored.incidents[number]["phase"] != "dismissed"
        ]
        if len(kept) != 1 or planted.share < 1:
            return
        row = kept[0]
        document = json.loads(row["document"])
        every = self._every(planted)
        start, end = _instant(row["start"]), row["end"] and _instant(row["end"])
        where, affected = planted.name, set(document["affected"])
        mine = [one for one in self.facts.planted if one.start <= planted.end and one.end >= planted.start]
        if not planted.start - A_RUN <= start <= planted.start + every + A_RUN:
            self._differs("edge", start, where, f"began {_words(start - planted.start)} after it began")
        disturbed = any(
            one.start < planted.end + timedelta(minutes=15) and one.end > planted.end
            for one in self.facts.disturbances
        )
        late = OPEN_EVERY + 2 * A_RUN + timedelta(seconds=planted.retry_after or 0)
        if end is not None and not disturbed and not planted.end - A_RUN <= end <= planted.end + late:
            self._differs("edge", end, where, f"ended {_words(end - planted.end)} after it ended")
        if end is None and self.facts.end - planted.end > timedelta(hours=2):
            self._differs("edge", self.facts.end, where, "still open two hours after it ended")
        self._counted(planted, document)
        if len(mine) > 1:
            return  # two at once may be told as they explain each other
        if row["blame"] != planted.blame:
            self._differs("blame", start, where, f"{row['blame']}, not {planted.blame}")
        certain = {key for key in planted.targets if self._surely_down(planted, key)}
        if not certain <= affected <= set(planted.targets):
            missing, more = _listed(certain - affected), _listed(affected - set(planted.targets))
            self._differs(
                "scope", start, where, f"without {missing or 'none'}, with {more or 'none'} beyond it"
            )
        named = {key for key in self._picked_out(document["scope"]) if self._ran_in(planted, key)}
        if affected == set(planted.targets) and not document["ambiguous"] and named != affected:
            self._differs("scope", start, where, f"named {document['scope']}, which is {len(named)} targets")

    def _counted(self, planted: Planted, document: Mapping[str, Any]) -> None:
        """The windows count the failed runs that are stored; a few may be masked by what is beside them."""
        for window in document["windows"]:
            start, key = _parse(window["start"]), window["target"]
            end = _parse(window["end"]) if window["end"] else self.facts.end
            stored = sum(start <= run.start < end and run.bad for run in self.stored.runs[key])
            if window["state"] == "down" and not 0 <= stored - window["failed"] <= MASKED:
                said = f"{key}: {window['failed']} failed runs are counted, {stored} are stored"
                self._differs("count", start, planted.name, said)

    def _every(self, planted: Planted) -> timedelta:
        return max(self.facts.promises[key].every for key in planted.targets)

    def _surely_down(self, planted: Planted, key: str, by: datetime | None = None) -> bool:
        inside = [
            run
            for run in self.stored.runs[key]
            if planted.start <= run.start < planted.end and (by is None or run.end <= by - TELLING)
        ]
        return down_at(inside, SPAN + TOLERANCE) is not None

    def _ran_in(self, planted: Planted, key: str) -> bool:
        """Whether the target was watched then; others may have joined later, or left."""
        return any(planted.start <= run.start < planted.end for run in self.stored.runs[key])

    def _picked_out(self, scope: Sequence[Mapping[str, str]]) -> set[str]:
        """The watched targets that a scope picks out."""
        return {
            key
            for key in self.facts.promises
            for part in scope
            if all(
                self.stored.facets.get(key, {}).get(facet, value) == value for facet, value in part.items()
            )
        }

    def _withdrawn(self) -> None:
        for number in self._outages():
            said = self._told[number]
            start = _parse(said[0].data["start"])
            for heard in said:
                if "withdrawn" in heard.kind or str(heard.data["title"]).startswith("Withdrawn"):
                    self._differs("withdrawn", heard.at, _listed(heard.data["affected"]), heard.data["title"])
            mine = [one for one in self.facts.planted if one.start - A_RUN <= start <= one.end]
            ends = [one.end + max(LINGERS, CONTINUES * self._every(one) + SETTLING) for one in mine]
            if ends and said[-1].at > max(ends):
                self._differs("lingers", said[-1].at, f"incident {number}", said[-1].data["title"])

    def _controls(self) -> None:
        """A control has a passed run since the outage began, and no failed one after it."""
        for number in self._outages():
            for heard in self._told[number]:
                if heard.data["state"] not in {"down", "degraded"}:
                    continue
                since, at = _parse(heard.data["start"]), _parse(heard.body["timestamp"])
                for control in heard.data["unaffected"]:
                    fault = self._control_fault(control["target"], since, at)
                    if fault:
                        self._differs(
                            "control", heard.at, control["target"], f"{fault}: {heard.data['title']}"
                        )

    def _control_fault(self, key: str, since: datetime, at: datetime) -> str | None:
        known = self.stored.runs[key]
        newest = bisect_right(known, at, key=lambda run: run.start)
        inside = [run for run in known[max(0, newest - 500) : newest] if run.start >= since and run.end <= at]
        conclusive = [run for run in inside if run.verdict != "inconclusive"]
        if not conclusive:
            return "named as unaffected without a run since it began"
        if conclusive[-1].bad:
            return "named as unaffected while its newest run failed"
        return None

    # Slots -------------------------------------------------------------------------------------------

    def _slots(self) -> None:
        for key, promise in self.facts.promises.items():
            runs = [run for run in self.stored.runs[key] if run.kind == "scheduled"]
            spans = [(run.slot, run.slot) for run in runs] + self.stored.skips[key]
            spans.sort()
            for (_, before), (after, _) in pairwise(spans):
                if after - before > promise.every + TOLERANCE and not self._disturbed(before, after):
                    missing = round((after - before) / promise.every) - 1
                    self._differs("slots", before, key, f"{missing} slots without outcome or reason")

    def _disturbed(self, before: datetime, after: datetime) -> bool:
        return any(
            one.start - TOLERANCE <= after and one.end + timedelta(seconds=30) >= before
            for one in self.facts.disturbances
            if one.what in {"suspend", "clock", "kill"}
        )

    # Agreement ---------------------------------------------------------------------------------------

    def _agrees(self, sample: Sample) -> None:
        """Page, API, notice, ticket and replay say the same at this moment."""
        alive = {
            one["number"]: one
            for one in sample.api
            if one.get("phase") in {"open", "recovering"} and one.get("kind", "outage") == "outage"
        }
        for number, one in alive.items():
            where = f"incident {number}"
            if number not in sample.page:
                self._differs("page", sample.at, where, "the overview does not name it")
            ticket = sample.tickets.get(number, "")
            if one["start"][11:19] not in ticket:
                self._differs(
                    "ticket", sample.at, where, f"its start {one['start'][11:19]} is not in the ticket"
                )
            told = [heard for heard in self._told.get(number, ()) if heard.at <= sample.at]
            if told and told[-1].data["affected_total"] != len(one["affected"]):
                quiet = sample.at - told[-1].at
                if quiet > timedelta(minutes=7):
                    said = f"told {told[-1].data['affected_total']} targets, shows {len(one['affected'])}"
                    self._differs("notice", sample.at, where, said)
        self._states(sample)
        if sample.replay is not None:
            self._replays(sample)

    def _states(self, sample: Sample) -> None:
        """What is certainly down is shown so, and what nothing was planted at for hours is up."""
        if any(one.start <= sample.at <= one.end + timedelta(minutes=10) for one in self.facts.disturbances):
            return
        for target in (one for one in sample.targets if one["watched"]):
            key, shown = target["target"], target["state"]
            lately = [
                one
                for one in self.facts.planted
                if key in one.targets and one.start <= sample.at <= one.end + LINGERS
            ]
            whole = [one for one in lately if one.share >= 1 and sample.at < one.end]  # others come and go
            now = [one for one in whole if self._surely_down(one, key, sample.at)]
            allowed = ("down", "unknown") if self._waits(key, sample.at) else ("down",)
            if any(not one.hidden for one in now) and shown not in allowed:
                self._differs("shown", sample.at, key, f"fails, and is shown as {shown}")
            if not lately and shown != "up" and self._known(key, sample.at):
                self._differs("shown", sample.at, key, f"nothing is wrong, and it is shown as {shown}")

    def _waits(self, key: str, at: datetime) -> bool:
        """Whether it was not run for a while since its slots are skipped: then nothing is known of it."""
        last = max((run.start for run in self.stored.runs[key] if run.end <= at), default=at)
        skipped = any(last < first <= at for first, _ in self.stored.skips[key])
        return skipped and at - last > OPEN_EVERY

    def _known(self, key: str, at: datetime) -> bool:
        """Whether a run of the target had ended some seconds before."""
        runs = self.stored.runs[key]
        return bool(runs) and runs[0].end + TELLING < at

    def _replays(self, sample: Sample) -> None:
        facts = ("start", "end", "blame", "affected", "scope")
        stored = {
            json.dumps([one[fact] for fact in facts]): one["number"]
            for one in sample.api
            if one.get("phase") != "dismissed" and one.get("kind", "outage") == "outage"
        }
        settled = sample.at - timedelta(minutes=10)
        replayed = {
            json.dumps([one[fact] for fact in facts]): one["title"]
            for one in sample.replay["incidents"]  # type: ignore[index]
            if _parse(one["start"]) < settled
        }
        for same in stored.keys() - replayed.keys():
            if _parse(json.loads(same)[0]) < settled:
                self._differs("replay", sample.at, f"incident {stored[same]}", f"replay does not say {same}")
        for same in replayed.keys() - stored.keys():
            self._differs("replay", sample.at, replayed[same], f"only replay says {same}")

    def _flat(self) -> None:
        """Memory and descriptors do not grow: the last third against the one before it."""
        third = len(self.facts.gauges) // 3
        if third < 3:
            return
        middle, last = self.facts.gauges[third : 2 * third], self.facts.gauges[2 * third :]
        held = statistics.median(one.resident for one in middle)
        holds = statistics.median(one.resident for one in last)
        if holds > 1.25 * held and holds - held > 40e6:
            self._differs(
                "memory", last[-1].at, "process", f"{held / 1e6:.0f} MB, later {holds / 1e6:.0f} MB"
            )
        if max(one.descriptors for one in last) > max(one.descriptors for one in middle) + 3:
            self._differs("descriptors", last[-1].at, "process", f"{last[-1].descriptors} are open")


def judge(facts: Facts, database: Path) -> Opinion:
    """What of these facts is not as planted or promised."""
    return Judge(facts, read(database)).judge()


def _parse(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _words(length: timedelta) -> str:
    seconds = round(length.total_seconds())
    sign = "-" if seconds < 0 else ""
    minutes, rest = divmod(abs(seconds), 60)
    return f"{sign}{minutes} min {rest} s" if minutes else f"{sign}{rest} s"


def _listed(targets: Iterator[str] | Sequence[str] | set[str]) -> str:
    known = sorted(targets)
    return ", ".join(known[:3]) + (f" and {len(known) - 3} more" if len(known) > 3 else "")
