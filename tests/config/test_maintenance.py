"""`[[maintenance]]`: once or recurring, and what cannot be meant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta

import pytest

from monitor.config import Settings
from monitor.core.outages.maintenance import Maintenance, Recurrence

Load = Callable[[str], Settings]
Refuse = Callable[[str], Sequence[str]]

ONCE = 'name = "moved"\nfrom = {0}2026-01-31T02:00:00Z{0}\nuntil = {0}2026-01-31T05:00:00+01:00{0}\n'
WEEKLY = 'name = "patches"\nevery = "week"\nweekday = "sunday"\nat = "02:30"\nduration = "1h"\n'


@pytest.mark.parametrize("quote", ["", '"'])
def test_maintenance_once_is_from_until(loaded: Load, quote: str) -> None:
    """Instants as TOML writes them, or as text; with patterns of targets."""
    text = f'[[maintenance]]\n{ONCE.format(quote)}targets = ["azure/*"]\nretroactive = true\n'
    assert loaded(text).maintenance == (
        Maintenance(
            name="moved",
            targets=("azure/*",),
            start=datetime(2026, 1, 31, 2, tzinfo=UTC),
            end=datetime(2026, 1, 31, 4, tzinfo=UTC),
            retroactive=True,
        ),
    )


def test_recurring_maintenance_is_at_a_local_time(loaded: Load) -> None:
    """In its own zone, or in the monitor's."""
    monitor = '[monitor]\ntimezone = "Europe/Berlin"\n'
    text = f'{monitor}[[maintenance]]\n{WEEKLY}[[maintenance]]\n{WEEKLY}zone = "Asia/Kolkata"\n'
    first, second = loaded(text).maintenance
    assert (first.every, first.weekday, first.at) == (Recurrence.WEEK, "sunday", time(2, 30))
    assert (first.duration, first.zone, second.zone) == (timedelta(hours=1), "Europe/Berlin", "Asia/Kolkata")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name = "x"\n', ".from: is missing"),
        (ONCE.format("") + 'zone = "UTC"\n', ".zone: belongs to maintenance that comes back"),
        ('name = "x"\nfrom = 2026-01-02T00:00:00Z\nuntil = 2026-01-01T00:00:00Z\n', "must lie after 'from'"),
        ('name = "x"\nfrom = 2026-01-02T00:00:00\nuntil = 2026-01-03T00:00:00Z\n', "instant with an offset"),
        (WEEKLY.replace('weekday = "sunday"\n', ""), "is named for every = 'week', and only for it"),
        (WEEKLY.replace('"week"', '"day"'), "is named for every = 'week', and only for it"),
        (WEEKLY.replace("sunday", "sonntag"), "weekday"),
        (WEEKLY.replace("02:30", "25:00"), "must be a time of day such as '02:00'"),
        (WEEKLY.replace('at = "02:30"\n', ""), "at: is missing"),
        (WEEKLY + "until = 2026-01-31T05:00:00Z\n", "happens once: leave out 'every'"),
    ],
)
def test_what_cannot_be_meant_is_refused(refused: Refuse, text: str, said: str) -> None:
    """Each by its key, with what would be right."""
    assert any(said in problem for problem in refused(f"[[maintenance]]\n{text}"))


def test_one_bracket_is_one_too_few(refused: Refuse) -> None:
    """A table where a list is meant."""
    (problem,) = refused(f"[maintenance]\n{WEEKLY}")
    assert "write [[maintenance]] in two brackets" in problem
