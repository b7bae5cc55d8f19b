"""Pathways and their scenarios: a family of conversations by name; nothing here opens a socket."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.checks.check import Check
from monitor.checks.realtime import realtime
from monitor.checks.realtime_transcription import realtime_transcription
from monitor.checks.rest import rest

__all__ = ["CHECKS", "Check"]

CHECKS: Mapping[str, Check] = {
    "rest": rest,
    "realtime": realtime,
    "realtime_transcription": realtime_transcription,
}
