"""Vendors and their ways: a family of values by name; nothing here opens a socket."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.providers.azure_openai import AZURE_OPENAI
from monitor.providers.azure_speech import AZURE_SPEECH
from monitor.providers.openai import OPENAI
from monitor.providers.openai_compatible import OPENAI_COMPATIBLE
from monitor.providers.provider import Provider

__all__ = ["PROVIDERS", "Provider"]

PROVIDERS: Mapping[str, Provider] = {
    "openai": OPENAI,
    "azure_openai": AZURE_OPENAI,
    "openai_compatible": OPENAI_COMPATIBLE,
    "azure_speech": AZURE_SPEECH,
}
