"""The parts that several pages show: how fresh a page is, its links, and lanes with their rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from markupsafe import Markup
from starlette.convertors import Convertor, register_url_convertor

from monitor.core.intervals import Span
from monitor.core.model import Outcome
from monitor.core.views.lanes import Counts, Lane
from monitor.store.database.engine import Transaction
from monitor.web.frame.charts import draw_lane
from monitor.web.frame.context import WebContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """When the page was made and how old its newest run is; `stale` once that is too old to trust.

    `limit_s` is how long a page that is left open may go without a word from the service, `revision` what
    the page follows from: the live stream says whether that is still so.
    """

    made: datetime
    age: timedelta | None
    stale: bool
    limit_s: int
    revision: str


def freshness(context: WebContext, tx: Transaction, now: datetime, newest: datetime | None) -> Freshness:
    """How far a page made at *now* can be trusted."""
    settings = context.settings
    age = max(now - newest, timedelta(0)) if newest else None
    return Freshness(
        made=now,
        age=age,
        stale=age is not None and age > settings.patience,
        limit_s=round(settings.stale_after.total_seconds()),
        revision=context.revision_at(tx, now),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An address with its text; `current` marks the one that is shown."""

    text: str
    href: str
    current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneRow:
    """One lane with what stands beside it: its name, a figure, and in small letters what that rests on."""

    target: str
    name: str
    lane: Lane
    figure: str
    basis: str = ""
    pathway: str = ""
    place: str = ""


def draw_row(row: LaneRow) -> Markup:
    """The drawing of a lane; its title tells in words what it shows."""
    counts = Counts.of(bucket.counts for bucket in row.lane.buckets if bucket.state is not None)
    spoken = f"{row.target}: {counts.failed} of {counts.total} runs failed; {_trouble(row.lane)}"
    return draw_lane(row.lane, spoken)


def _trouble(lane: Lane) -> str:
    windows = [
        f"{window.state.value} {window.start:%d %b %H:%M:%S} to "
        f"{f'{window.end:%d %b %H:%M:%S}' if window.end else 'now'} UTC"
        for window in lane.windows
    ]
    return "; ".join(windows) if windows else "no window"


class AnyText(Convertor[str]):
    """What stands at ``{name:text}`` in an address: any text, line ends and slashes included."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        """The text as it was sent."""
        return value

    def to_string(self, value: str) -> str:
        """The text as it stands."""
        return value


register_url_convertor("text", AnyText())


def run_href(run_id: str) -> str:
    """The page of a run; an imported id may hold anything."""
    return f"/runs/{quote(run_id, safe='')}"


def split_title(title: str) -> tuple[str, str]:
    """The sentence of an incident's title, and its unaffected neighbours; "" where none are named."""
    sentence, _, beside = title.partition(" Unaffected: ")
    return sentence, beside


def said_by(outcome: Outcome) -> str:
    """What the provider said, its type and its code before it; at most 160 characters."""
    code = f"code {outcome.code}" if outcome.code else ""
    return ": ".join(part for part in (outcome.type, code, outcome.message) if part)[:160]


def period_text(period: Span) -> str:
    """``16 Nov 2025 10:45 to 17 Nov 2025 10:45 UTC``."""
    start, end = period
    return f"{start.day} {start:%b %Y %H:%M} to {end.day} {end:%b %Y %H:%M} UTC"
