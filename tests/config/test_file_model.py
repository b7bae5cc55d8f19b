from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from monitor.checks import CHECKS
from monitor.config import Settings
from monitor.config.file_model import ConfigurationFile, DeploymentTable, EndpointTable, WatchTable
from monitor.notifiers import CHANNELS
from monitor.providers import PROVIDERS

CANARY = "hunter2hunter2hunter2"


def test_a_deployment_can_be_named_for_every_pathway() -> None:
    """A pathway that is added gets its key in the deployment table."""
    assert set(CHECKS) <= set(DeploymentTable.model_fields)


def test_every_member_of_a_family_can_be_configured() -> None:
    """The schema lists providers, pathways and channel kinds from their registries."""
    text = str(ConfigurationFile.model_json_schema())
    assert all(f"'{name}'" in text for family in (PROVIDERS, CHECKS, CHANNELS) for name in family)


def text_keys(table: type[Any]) -> list[str]:
    """The keys that take text."""
    return [name for name, field in table.model_fields.items() if "str" in str(field.annotation)]


@pytest.mark.parametrize("key", [key for key in text_keys(EndpointTable) if key != "deployment"])
def test_a_secret_pasted_at_any_key_of_an_endpoint_is_never_printed(
    key: str, azure: str, loaded: Callable[[str], Settings], tmp_path: Any
) -> None:
    """Whatever is wrong with the file, no message repeats a text that looks like a key."""
    lines = [line for line in azure.splitlines() if not line.startswith(f"{key} =")]
    text = "\n".join([*lines, f'{key} = "sk-{CANARY}"', 'wrong = "so that it is refused"', ""])
    with pytest.raises(Exception, match="unknown key") as caught:
        loaded(text)
    told = str(caught.value)
    # A host is no secret; it is named so that the reader can find it.
    assert CANARY not in told.replace(str(tmp_path), "") or key == "url"


@pytest.mark.parametrize("key", text_keys(WatchTable))
def test_a_secret_pasted_at_any_key_of_a_watch_is_never_printed(
    key: str, azure: str, loaded: Callable[[str], Settings]
) -> None:
    """The same for watches, in lists too."""
    keys: Mapping[str, str] = {
        "endpoint": '"azure"', "models": '["whisper-1"]', "pathways": '["rest"]', "wrong": "1",
    }  # fmt: skip
    secret = f'["sk-{CANARY}"]' if key in {"models", "pathways"} else f'"sk-{CANARY}"'
    table = "\n".join(f"{name} = {value}" for name, value in {**keys, key: secret}.items())
    with pytest.raises(Exception, match="unknown key") as caught:
        loaded(f"{azure}\n[[watch]]\n{table}\n")
    assert CANARY not in str(caught.value)
