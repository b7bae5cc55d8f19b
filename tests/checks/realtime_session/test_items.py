"""Which text belongs to which item, with ids that differ, repeat or are missing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.checks.realtime_session.items import LONGEST_TEXT, MOST_ITEMS, Items

IDS = st.none() | st.sampled_from(["a", "b", "c", "d"])


def items(*ids: str | None) -> Items:
    made = Items()
    for item_id in ids:
        made.open(item_id)
    return made


def test_texts_stand_in_the_order_of_the_commits() -> None:
    """Completion order across turns is not guaranteed."""
    two = items("a", "b")
    assert two.complete("b", "second") is None
    assert not two.all_done
    assert two.complete("a", "first") is None
    assert (two.all_done, two.transcript) == (True, "first second")


def test_the_only_open_item_takes_a_text_under_another_id() -> None:
    """LocalAI names one item in `committed` and another in the transcription."""
    one = items("a")
    note = one.complete("z", "words")
    assert note is not None
    assert "z" in note
    assert one.transcript == "words"


def test_a_text_without_an_id_belongs_to_the_only_open_item() -> None:
    """Together sends none."""
    one = items(None)
    assert one.complete(None, "words")
    assert (one.all_done, one.transcript) == (True, "words")


def test_a_text_that_fits_no_item_is_left_out_where_two_are_open() -> None:
    """Guessing between two would be worse than waiting."""
    two = items("a", "b")
    assert two.complete("z", "words")
    assert (two.all_done, two.transcript) == (False, "")


def test_a_second_text_for_one_item_changes_nothing() -> None:
    """The first completion counts; the second is noted."""
    one = items("a")
    one.complete("a", "first")
    assert one.complete("a", "second") == "item a was completed twice"
    assert one.transcript == "first"


def test_an_empty_text_completes_an_item() -> None:
    """Silence is transcribed as nothing: that is an answer."""
    one = items("a")
    one.complete("a", "")
    assert one.all_done
    assert one.is_done("a")


def test_a_text_without_any_commit_makes_its_own_item() -> None:
    """Qwen-ASR sends no `committed` at all; one that comes late opens nothing new."""
    none = Items()
    assert none.complete("a", "words") == "a transcript came without a committed event"
    none.open("a")
    assert (len(none), none.all_done, none.transcript) == (1, True, "words")


def test_number_and_length_are_bounded() -> None:
    """A flood of items or of text does not fill the memory."""
    many = items(*(str(number) for number in range(1000)))
    many.complete("1", "x" * (LONGEST_TEXT + 1))
    assert len(many) == MOST_ITEMS
    assert len(many.transcript) == LONGEST_TEXT


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), IDS)))
def test_no_order_of_events_breaks_it(events: list[tuple[bool, str | None]]) -> None:
    """Whatever comes, as many texts as items are there in the end, at most."""
    made = Items()
    for is_commit, item_id in events:
        if is_commit:
            made.open(item_id)
        else:
            made.complete(item_id, "word")
    assert len(made.transcript.split()) <= len(made)


def test_an_item_that_must_come_takes_any_name() -> None:
    """A server may name it on commit, only with its text, or never; none of that is a deviation."""
    for names in (["item_1", "item_1"], [None, None], [None, "item_1"]):
        items = Items()
        items.expect()
        assert (len(items), items.all_done) == (1, False)
        if names[0]:
            items.open(names[0])
        assert items.complete(names[1], "words") is None
        assert (len(items), items.all_done, items.transcript) == (1, True, "words")
