from __future__ import annotations

import pytest

from monitor.core.pathways import CONTROL_PATHWAY, PATHWAYS, Pathway, pathway_named, serving

ANY = pytest.mark.parametrize("ways", PATHWAYS.values(), ids=lambda one: one.name)


@ANY
def test_a_record_refers_only_to_pathways_that_there_are(ways: Pathway) -> None:
    """What it stands in for, and whose deployments it asks for."""
    assert {ways.stands_in_for, ways.deployed_as, ways.host_deployed_as} - {None} <= set(PATHWAYS)


@ANY
def test_a_record_does_not_contradict_itself(ways: Pathway) -> None:
    """Audio goes into a session that there is; a session is hosted, or only transcribes; never both."""
    assert ways.has_session >= ways.speaks_in_session
    assert ways.has_session == (ways.is_hosted or ways.only_transcribes)
    assert not (ways.is_hosted and ways.only_transcribes)
    assert not (ways.answers_text and ways.opens_socket)


def test_efforts_order_all_pathways() -> None:
    """No two are equally cheap, so that a choice does not depend on their order."""
    assert len({ways.effort for ways in PATHWAYS.values()}) == len(PATHWAYS)


def test_what_nobody_knows_claims_nothing() -> None:
    """Imported outcomes may name any pathway; it is called by its name, and nothing is said of it."""
    ways = pathway_named("by_carrier_pigeon")
    assert (ways.words, ways.ticket_words) == ("by carrier pigeon", None)
    assert (ways.has_session, ways.opens_socket, ways.names_errors) == (False, False, False)


def test_a_need_is_served_by_itself_first() -> None:
    """And by what stands in for it after that; the control stands in for nothing."""
    assert serving("rest") == ("rest", "rest_stream", "speech_rest")
    assert serving("dual") == ("dual",)
    assert pathway_named(CONTROL_PATHWAY).stands_in_for is None
