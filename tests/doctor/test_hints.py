"""What `check` says of outcomes: one line each, and what several of them suggest together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.model import Blame, Deployment, Endpoint, Failure, Outcome, Stage, Target, Verdict
from monitor.doctor.hints import hints, one_outcome

START = datetime(2025, 11, 17, 8, 30, tzinfo=UTC)
ENDPOINT = Endpoint(
    name="azure",
    provider="azure_openai",
    url="https://contoso.openai.azure.com",
    deployments={"whisper-1": Deployment(model="whisper-1", name="whisper")},
)
GENERIC = "Input transcription failed for item 'item_1'."


def target(model: str = "whisper-1", pathway: str = "realtime") -> Target:
    """A target of the one endpoint."""
    return Target(endpoint=ENDPOINT, model=model, pathway=pathway)


def passed(pathway: str = "rest", **parts: Any) -> Outcome:
    """A run that passed."""
    one = Outcome(
        id="1",
        endpoint="azure",
        model="whisper-1",
        pathway=pathway,
        slot=START,
        started_at=START,
        finished_at=START + timedelta(seconds=2),
        verdict=Verdict.PASSED,
        timings_ms={"final": 520.4},
        wer=0.0,
    )
    return replace(one, **parts)


def failed(failure: Failure = Failure.SERVER, pathway: str = "realtime", **parts: Any) -> Outcome:
    """A run that failed."""
    known = {
        "verdict": Verdict.FAILED,
        "failure": failure,
        "stage": Stage.TRANSCRIBE,
        "blame": Blame.PROVIDER,
    }
    return passed(pathway, **{**known, "timings_ms": {}, "wer": None, **parts})


def said(*outcomes: Outcome, known: bool = True) -> Sequence[str]:
    """The hints on one check."""
    targets = [target(pathway=pathway) for pathway in ("rest", "realtime")] if known else []
    return hints(outcomes, {one.key: one for one in targets})


def test_a_pass_says_how_soon_the_text_came_and_how_right_it_was() -> None:
    """Time to the final text and word error rate."""
    line = "passed        azure/whisper-1/rest  0.52 s to the text, word error rate 0%"
    assert one_outcome(passed()) == line


def test_a_pass_without_timings_says_how_long_it_took() -> None:
    """An outcome that came without them is read by its start and finish."""
    assert one_outcome(passed(timings_ms={}, wer=None)) == "passed        azure/whisper-1/rest  2 s"


def test_a_degraded_run_says_why() -> None:
    """The reason stands behind the figures."""
    line = one_outcome(passed(verdict=Verdict.DEGRADED, wer=0.25, message="slower than the limit of 6 s"))
    assert line == (
        "degraded      azure/whisper-1/rest  0.52 s to the text, word error rate 25%, "
        "slower than the limit of 6 s"
    )


def test_a_failure_says_what_where_whose_and_quotes_the_error() -> None:
    """Failure, stage, time, blame, then status, close code, type, code and message as they came."""
    outcome = failed(http_status=404, close_code=1011, type="t", code="c", message="Gone.")
    assert one_outcome(outcome) == (
        "failed        azure/whisper-1/realtime  server at transcribe after 2 s, blame provider: "
        "HTTP 404, close 1011, type t, code c, Gone."
    )


def test_a_failure_without_words_ends_after_the_blame() -> None:
    """Nothing is invented where nothing was said."""
    outcome = failed(Failure.SILENT, stage=None)
    assert one_outcome(outcome).endswith("  silent after 2 s, blame provider")


@given(message=st.text(max_size=2000))
def test_whatever_a_provider_says_stays_on_one_bounded_line(message: str) -> None:
    """No text from outside breaks the line or the terminal."""
    line = one_outcome(failed(message=message))
    assert line.isprintable()
    assert len(line) < 500


def test_what_works_suggests_nothing() -> None:
    """Without failures there is no hint."""
    assert said(passed(), passed("realtime")) == []


def test_beside_a_generic_failure_a_neighbour_that_passes_acquits_the_deployment() -> None:
    """The same model on REST shows that the name is right."""
    assert said(failed(message=GENERIC), passed()) == [
        "azure/whisper-1/realtime: whisper works on rest: its deployment exists."
    ]


def test_beside_a_generic_failure_a_neighbour_that_explains_itself_is_quoted() -> None:
    """REST names what the realtime error hides."""
    explained = failed(Failure.CONFIG, "rest", code="DeploymentNotFound", message="It does not exist.")
    assert said(failed(message=GENERIC), explained)[0] == (
        "azure/whisper-1/realtime: the error says nothing, but whisper fails on rest too: DeploymentNotFound."
    )


def test_a_generic_failure_alone_may_be_a_missing_deployment() -> None:
    """Where nothing else is known, the check that would tell is named."""
    (hint,) = said(failed(message=GENERIC))
    assert "check that whisper is the name of a deployment in this resource" in hint
    (hint,) = said(failed(message=GENERIC), known=False)
    assert "check that whisper-1 is the name of a deployment" in hint


@pytest.mark.parametrize("failure", [Failure.DNS, Failure.CONNECT])
def test_an_address_that_nobody_answers_at_is_named_with_its_table(failure: Failure) -> None:
    """The reader learns which line of the file to look at."""
    (hint,) = said(failed(failure))
    assert hint == (
        "azure/whisper-1/realtime: nothing answers at https://contoso.openai.azure.com: "
        "check url in [endpoint.azure]."
    )


@pytest.mark.parametrize("code", ["DeploymentNotFound", "model_not_found"])
def test_a_name_that_nobody_knows_is_named_with_its_table(code: str) -> None:
    """The deployment's own name is quoted, which is not always the model's."""
    (hint,) = said(failed(Failure.CONFIG, "rest", code=code))
    assert hint == (
        "azure/whisper-1/rest: there is no 'whisper' at this address: check the name in "
        "[endpoint.azure.deployment.whisper-1]."
    )


def test_a_resource_inside_a_network_is_said() -> None:
    """A refusal by firewall rules asks for a monitor inside."""
    refused = failed(Failure.CONFIG, message="Access denied due to Virtual Network/Firewall rules.")
    assert said(refused) == [
        "azure/whisper-1/realtime: the resource only answers inside its network: run Earwitness there."
    ]


def test_a_missing_role_is_named() -> None:
    """Azure's PermissionDenied is a role assignment that lacks, or is too young."""
    assert (
        "the role 'Cognitive Services OpenAI User' is missing"
        in said(failed(Failure.AUTH, code="PermissionDenied", provider="azure_openai"))[0]
    )


def test_the_same_hint_is_given_once() -> None:
    """Two runs of one target suggest the same thing once."""
    assert len(said(failed(Failure.DNS), failed(Failure.DNS))) == 1
