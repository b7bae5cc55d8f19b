"""The table of the classifier as data: which code, status, close code or phrase means which class.

Order decides: the first rule that matches wins. Nothing here looks at audio, words or history.
The rules follow what OpenAI, Azure OpenAI and compatible servers were seen to send.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class FailureClass(StrEnum):
    """What kind of trouble a failed run is in; `classify` maps it to failure and blame."""

    NETWORK = "network"
    AUTH = "auth"
    CONFIG = "config"
    QUOTA = "quota"
    CAPACITY = "capacity"
    PROVIDER = "provider"
    SILENT = "silent"
    CONTENT = "content"
    AUDIO = "audio"  # our file or encoding was refused
    UNINTELLIGIBLE = "unintelligible"  # the recording was taken and not understood
    LIFECYCLE = "lifecycle"
    HANDSHAKE = "handshake"
    PROTOCOL = "protocol"
    MONITOR = "monitor"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clues:
    """What the rules look at; codes and types in lower case, `words` the lower-case message."""

    status: int | None = None
    close: int | None = None
    type: str | None = None
    code: str | None = None
    words: str = ""
    url: str = ""
    item: bool = False  # it came as the failure of an item
    explained: bool = False  # the provider itself worded an error
    response: bool = False  # it came as the failure of a response
    lowered: bool = False  # the effective limit in the headers is below the configured one


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition: every field that is given must hold; phrases and codes: any of them.

    A type counts as a code where there is no code: gateways put the name into either.
    """

    status: frozenset[int] = frozenset()
    close: frozenset[int] = frozenset()
    type: frozenset[str] = frozenset()
    code: frozenset[str] = frozenset()
    phrase: tuple[str, ...] = ()
    url: str | None = None
    item: bool = False
    explained: bool = False
    response: bool = False
    lowered: bool = False
    no_code: bool = False

    def holds(self, clues: Clues) -> bool:
        """Whether every given field is met."""
        return (
            (not self.status or clues.status in self.status)
            and (not self.close or clues.close in self.close)
            and (not self.type or clues.type in self.type)
            and (not self.code or (clues.code or clues.type) in self.code)
            and (not self.phrase or any(phrase in clues.words for phrase in self.phrase))
            and (self.url is None or re.search(self.url, clues.url) is not None)
            and (clues.item or not self.item)
            and (clues.explained or not self.explained)
            and (clues.response or not self.response)
            and (clues.lowered or not self.lowered)
            and (clues.code is None or not self.no_code)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRule:
    """One row: its number in the order of evaluation, the class, and when it applies."""

    number: int
    then: FailureClass
    any_of: tuple[Condition, ...]


def _codes(*names: str) -> Condition:
    return Condition(code=frozenset(name.lower() for name in names))


def _says(*phrases: str) -> Condition:
    return Condition(phrase=phrases)


def _status(*numbers: int) -> Condition:
    return Condition(status=frozenset(numbers))


def _close(*numbers: int) -> Condition:
    return Condition(close=frozenset(numbers))


# A dated api-version on Azure's GA path is answered by 401 as a wrong key would be.
_DATED_ON_GA = r"/openai/v1/.*[?&]api-version=\d"

RULES: Sequence[FailureRule] = (
    FailureRule(
        number=2, then=FailureClass.CONFIG, any_of=(Condition(status=frozenset({401}), url=_DATED_ON_GA),)
    ),
    FailureRule(
        number=2,
        then=FailureClass.AUTH,
        any_of=(
            _status(401),
            _codes("invalid_api_key", "missing_api_key", "authentication_error", "account_deactivated"),
            _codes("PermissionDenied", "401", "ip_not_authorized", "permission_error"),
            Condition(status=frozenset({403}), phrase=("temporarily blocked",)),
            _close(3000),
        ),
    ),
    FailureRule(
        number=3,
        then=FailureClass.CONFIG,
        any_of=(
            _says("virtual network/firewall", "public access is disabled"),
            _says("not available in your region"),
            _codes("unsupported_country_region_territory"),
        ),
    ),
    FailureRule(
        number=4,
        then=FailureClass.QUOTA,
        any_of=(
            _codes("insufficient_quota", "credit_balance_exhausted"),
            _codes("billing_hard_limit_reached", "billing_not_active"),
            _status(402),
            Condition(type=frozenset({"insufficient_quota"})),
            _says("exceeded your current quota", "no credits remaining", "credit balance"),
            _says("insufficient_quota"),
        ),
    ),
    FailureRule(
        number=5,
        then=FailureClass.CAPACITY,
        any_of=(
            Condition(status=frozenset({429}), phrase=("temporarily unable to process", "high demand")),
            Condition(code=frozenset({"429"}), phrase=("temporarily unable to process", "high demand")),
            Condition(status=frozenset({429}), lowered=True),
        ),
    ),
    FailureRule(
        number=6,
        then=FailureClass.QUOTA,
        any_of=(
            _status(429),
            _codes("rate_limit_exceeded", "429"),
            Condition(type=frozenset({"requests", "tokens"})),
            _says("call rate limit", "token rate limit", "429 too many requests"),
        ),
    ),
    FailureRule(
        number=7,
        then=FailureClass.CONFIG,
        any_of=(
            _codes("DeploymentNotFound", "model_not_found", "model_not_available", "invalid_model"),
            _codes("missing_model", "OperationNotSupported", "OpperationNotSupported"),
            _codes("beta_api_shape_disabled", "unknown_parameter", "invalid_parameter", "invalid_value"),
            _codes("unsupported_value", "missing_required_parameter"),
            _says("deploymentnotfound"),
            Condition(status=frozenset({404}), phrase=("resource not found",)),
            _close(4000, 4004),
        ),
    ),
    FailureRule(
        number=8,
        then=FailureClass.CONTENT,
        any_of=(_codes("content_filter", "ResponsibleAIPolicyViolation"),),
    ),
    FailureRule(number=9, then=FailureClass.UNINTELLIGIBLE, any_of=(_codes("audio_unintelligible"),)),
    FailureRule(
        number=9,
        then=FailureClass.AUDIO,
        any_of=(
            _status(413, 415, 422),
            _codes("audio_too_short", "input_audio_buffer_commit_empty"),
            _says("invalid file format", "unrecognized file format", "corrupted", "too short"),
            _says("error committing input audio buffer"),
        ),
    ),
    FailureRule(number=9, then=FailureClass.UNINTELLIGIBLE, any_of=(_says("could not be transcribed"),)),
    FailureRule(
        number=10,
        then=FailureClass.LIFECYCLE,
        any_of=(
            _codes("session_expired"),
            Condition(
                close=frozenset({1001}), phrase=("maximum duration", "session expired", "session_expired")
            ),
        ),
    ),
    # "Try again later" in IANA's registry of close codes: too much load, unless the reason said otherwise.
    FailureRule(number=5, then=FailureClass.CAPACITY, any_of=(_close(1013),)),
    # The rest of what rule 7 names: an `invalid_request_error` that none of the rules above knows better.
    FailureRule(
        number=7, then=FailureClass.CONFIG, any_of=(Condition(type=frozenset({"invalid_request_error"})),)
    ),
    FailureRule(
        number=11,
        then=FailureClass.PROVIDER,
        any_of=(
            Condition(
                item=True,
                no_code=True,
                type=frozenset({"server_error"}),
                phrase=("input transcription failed for item",),
            ),
        ),
    ),
    FailureRule(
        number=12,
        then=FailureClass.PROVIDER,
        any_of=(
            Condition(type=frozenset({"server_error"})),
            _codes("transcription_failed", "Timeout", "InternalServerError", "ServiceUnavailable"),
            _codes("500", "502", "503", "504"),
            _status(408, 500, 502, 503, 504),
            _close(1011, 1012),
            Condition(response=True),
        ),
    ),
)

# Tried after every rule above has passed: what a server explains itself is our request, not its fault.
LAST_RESORT: Sequence[FailureRule] = (
    FailureRule(
        number=15,
        then=FailureClass.CAPACITY,
        any_of=(
            _says("slots are in use", "session limit"),
            _status(529),
            _codes("overloaded_error"),
        ),
    ),
    # RFC 6585, 6: a captive portal says that nothing beyond it was reached.
    FailureRule(number=15, then=FailureClass.NETWORK, any_of=(_status(511),)),
    # 520 to 530 are those of the edge in front of OpenAI, where what lies behind it fails (Cloudflare).
    FailureRule(
        number=15, then=FailureClass.PROVIDER, any_of=(_status(501, 505, 507, 508, *range(520, 528), 530),)
    ),
    FailureRule(
        number=15,
        then=FailureClass.AUTH,
        any_of=(
            Condition(status=frozenset({403}), explained=True),
            _codes("Forbidden"),
            Condition(
                close=frozenset({1008}), phrase=("api key", "api_key", "unauthorized", "authentication")
            ),
        ),
    ),
    FailureRule(
        number=15,
        then=FailureClass.AUDIO,
        any_of=(Condition(status=frozenset({400}), phrase=("unsupported audio", "invalid audio", "decode")),),
    ),
    FailureRule(
        number=15,
        then=FailureClass.CONFIG,
        any_of=(Condition(status=frozenset({400, 404, 405, 410}), explained=True),),
    ),
)


def first_match(rules: Iterable[FailureRule], clues: Clues) -> FailureRule | None:
    """The first rule with a condition that holds, or None."""
    return next((rule for rule in rules if any(when.holds(clues) for when in rule.any_of)), None)


def class_of_code(codes: Mapping[str, FailureClass], clues: Clues) -> FailureClass | None:
    """What a provider's own code, type or close code means, by the data of that provider."""
    by_close = codes.get(f"close {clues.close}") if clues.close is not None else None
    return codes.get(clues.code or "") or codes.get(clues.type or "") or by_close


def class_of_status(codes: Mapping[str, FailureClass], clues: Clues) -> FailureClass | None:
    """What a status that comes without a word means to a provider, by its data."""
    return None if clues.words else codes.get(f"status {clues.status}")
