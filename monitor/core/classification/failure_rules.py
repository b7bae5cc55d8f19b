"""The table of the classifier as data: which words, code, status or close code mean which class.

Three parts, tried one after another, and in each the first rule that matches decides: what the answer
*says* (`SPOKEN`), then names that it *gives* (`NAMED`), then *numbers* by themselves (`NUMBERED`). Words
come first because a gateway, an edge or a server's framework chooses status and code, and only the words
tell what happened behind it: 429 with "the engine is overloaded" is no limit of ours. A provider's own
codes come between words and names. The number of a rule is the row of the kind that it stands for.

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
    """What the rules look at; codes, types and parameters in lower case, `words` the lower-case message.

    `status` is the innermost HTTP status that is known: one that the words quote, else one that stands as
    the code, else that of the answer, else the twin of the close code. `caused` says that it is not the
    answer's own. `quoted` are names in the words that are spelled as codes are.
    """

    status: int | None = None
    caused: bool = False
    close: int | None = None
    type: str | None = None
    code: str | None = None
    param: str | None = None
    words: str = ""
    quoted: frozenset[str] = frozenset()
    url: str = ""
    item: bool = False  # it came as the failure of an item
    explained: bool = False  # the provider itself worded an error
    response: bool = False  # it came as the failure of a response
    refused: bool = False  # it came in place of the upgrade to a WebSocket
    lowered: bool = False  # the effective limit in the headers is below the configured one


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition: every field that is given must hold; phrases and codes: any of them.

    A type counts as a code where there is no code: gateways put the name into either. So does a name that
    the words quote.
    """

    status: frozenset[int] = frozenset()
    not_status: int | None = None
    close: frozenset[int] = frozenset()
    type: frozenset[str] = frozenset()
    code: frozenset[str] = frozenset()
    param: frozenset[str] = frozenset()
    phrase: tuple[str, ...] = ()
    url: str | None = None
    item: bool = False
    explained: bool = False
    caused: bool = False
    response: bool = False
    refused: bool = False
    lowered: bool = False
    no_code: bool = False
    other_param: bool = False  # it names a parameter, and that is not our file
    wordless: bool = False

    def holds(self, clues: Clues) -> bool:
        """Whether every given field is met."""
        return (
            (not self.status or clues.status in self.status)
            and (self.not_status is None or clues.status != self.not_status)
            and (not self.close or clues.close in self.close)
            and (not self.type or clues.type in self.type)
            and (not self.code or self._names(clues))
            and (not self.param or clues.param in self.param)
            and (not self.phrase or any(phrase in clues.words for phrase in self.phrase))
            and (self.url is None or re.search(self.url, clues.url) is not None)
            and (clues.item or not self.item)
            and (clues.explained or not self.explained)
            and (clues.caused or not self.caused)
            and (clues.response or not self.response)
            and (clues.refused or not self.refused)
            and (clues.lowered or not self.lowered)
            and (clues.code is None or not self.no_code)
            and (not self.other_param or clues.param not in (None, *OUR_FILE))
            and (not clues.words or not self.wordless)
        )

    def _names(self, clues: Clues) -> bool:
        return (clues.code or clues.type) in self.code or not self.code.isdisjoint(clues.quoted)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRule:
    """One row: its number among the kinds of failure, the class, and when it applies."""

    number: int
    then: FailureClass
    any_of: tuple[Condition, ...]


OUR_FILE = ("file", "audio")  # what a form calls the recording
# Statuses that refuse a request as it is: what they mean when a gateway hands one on as its cause.
_REFUSALS = frozenset({400, 404, 405, 410, 501})
# RFC 9110, 15: a status that nobody knows means what the first of its hundred means.
_OTHER_4XX = frozenset(range(400, 500)) - {401, 402, 403, 407, 408, 413, 415, 422, 424, 426, 429, 498}
_OTHER_5XX = frozenset(range(505, 600)) - {511, 529}


def _rule(number: int, then: FailureClass, *any_of: Condition) -> FailureRule:
    return FailureRule(number=number, then=then, any_of=any_of)


def _codes(*names: str) -> Condition:
    return Condition(code=frozenset(name.lower() for name in names))


def _says(*phrases: str) -> Condition:
    return Condition(phrase=phrases)


def _status(*numbers: int) -> Condition:
    return Condition(status=frozenset(numbers))


def _close(*numbers: int) -> Condition:
    return Condition(close=frozenset(numbers))


# A dated api-version on a path that names its version is answered by 401, as a wrong key would be (Azure).
_DATED_ON_GA = r"/v1/.*[?&]api-version=\d"
# What a server says of a recording that it refuses, and of little else where the request is at fault.
_OF_A_FILE = (
    "audio format", "audio encoding", "audio codec", "audio file", "audio data", "unsupported audio",
    "invalid audio", "file format", "sample rate", "decode the audio", "decode file", "corrupted",
    "too short",
)  # fmt: skip

SPOKEN: Sequence[FailureRule] = (
    _rule(2, FailureClass.CONFIG, Condition(status=frozenset({401}), url=_DATED_ON_GA)),
    _rule(
        3,
        FailureClass.CONFIG,
        _says("virtual network/firewall", "public access is disabled"),
        _says("not available in your region", "country, region, or territory not supported"),
    ),
    _rule(
        4,
        FailureClass.QUOTA,
        _says("exceeded your current quota", "quota exceeded", "exceeded quota", "exceeded your quota"),
        # Azure API Management in front of the free tier: 403 "Out of call volume quota".
        _says("out of call volume quota", "out of quota", "quota has been exceeded", "quota is exhausted"),
        _says("no credits remaining", "credit balance", "insufficient credits", "insufficient balance"),
        _says("billing hard limit", "account is not active"),
        _says("budget has been exceeded", "crossed budget"),  # LiteLLM
    ),
    _rule(
        5,
        FailureClass.CAPACITY,
        _says("temporarily unable to process", "high demand"),  # Microsoft's page on quotas
        # Not under 503, which means overload or maintenance by itself (RFC 9110, 15.6.4).
        Condition(
            not_status=503,
            phrase=(
                "overloaded",
                "is at capacity",
                "over capacity",
                "insufficient capacity",
                "capacity exceeded",
            ),
        ),
        _says("slots are in use", "server is busy"),
        _says("no deployments available", "no healthy deployment"),  # LiteLLM while all of them cool down
        Condition(status=frozenset({429}), lowered=True),
    ),
    _rule(
        6,
        FailureClass.QUOTA,
        _says("call rate limit", "token rate limit", "rate limit reached", "rate limit exceeded"),
        _says("429 too many requests", "requests per min", "tokens per min", "max parallel request limit"),
    ),
    _rule(
        2,
        FailureClass.AUTH,
        _says("incorrect api key", "invalid api key", "invalid subscription key", "api key not valid"),
        _says("provide an api key", "missing api key", "no api key", "api key is required"),
        _says("key based authentication is disabled", "token has expired", "expired token"),
        Condition(status=frozenset({403}), phrase=("temporarily blocked",)),
    ),
    _rule(8, FailureClass.CONTENT, _says("content management policy")),
    # A form or a body that is not taken at all, whatever is in it.
    _rule(
        7,
        FailureClass.CONFIG,
        Condition(status=frozenset({415}), phrase=("application/json", "multipart/form-data")),
    ),
    _rule(
        9,
        FailureClass.AUDIO,
        _says("invalid file format", "unrecognized file format", "unsupported file format"),
        _says("unsupported audio format", "invalid audio format", "audio format is not supported"),
        _says("decode audio", "decoding audio", "invalid data found when processing input"),
        _says("format not recognised", "corrupted or unsupported", "audio file is too short"),
        _says("error committing input audio buffer", "maximum content size limit"),
        Condition(status=frozenset({400, 415, 422}), phrase=_OF_A_FILE),
        Condition(close=frozenset({1003, 1007}), phrase=_OF_A_FILE),  # RFC 6455, 7.4.1: of our data
        Condition(type=frozenset({"invalid_request_error"}), phrase=_OF_A_FILE),
        Condition(code=frozenset({"badrequest", "invalidargument"}), phrase=_OF_A_FILE),  # Azure AI Speech
    ),
    _rule(
        7,
        FailureClass.CONFIG,
        _says("invalid model name", "unknown model", "model not found", "no such model"),
        _says("does not have access to model", "resource not found", "api deployment for this resource"),
    ),
    _rule(9, FailureClass.UNINTELLIGIBLE, _says("could not be transcribed")),
    _rule(
        10,
        FailureClass.LIFECYCLE,
        Condition(close=frozenset({1001}), phrase=("maximum duration", "session expired")),
    ),
)

NAMED: Sequence[FailureRule] = (
    _rule(
        2,
        FailureClass.AUTH,
        _codes("invalid_api_key", "missing_api_key", "authentication_error", "account_deactivated"),
        _codes("PermissionDenied", "ip_not_authorized", "permission_error", "AuthenticationTypeDisabled"),
    ),
    _rule(3, FailureClass.CONFIG, _codes("unsupported_country_region_territory")),
    _rule(
        4,
        FailureClass.QUOTA,
        _codes("insufficient_quota", "credit_balance_exhausted", "billing_hard_limit_reached"),
        _codes("billing_not_active", "billing_error"),
        Condition(type=frozenset({"insufficient_quota"})),
    ),
    _rule(
        5,
        FailureClass.CAPACITY,
        _codes("overloaded_error", "engine_overloaded", "engine_overloaded_error", "server_overloaded"),
        _codes("server_is_overloaded", "model_overloaded", "capacity_exceeded"),
    ),
    _rule(
        6,
        FailureClass.QUOTA,
        _codes("rate_limit_exceeded", "rate_limit_error"),
        Condition(type=frozenset({"requests", "tokens"})),
    ),
    _rule(
        9,
        FailureClass.AUDIO,
        _codes("audio_too_short", "input_audio_buffer_commit_empty", "invalid_audio", "invalid_file_format"),
        _codes("invalid_audio_format", "unsupported_audio_format", "unsupported_format", "audio_too_long"),
        Condition(status=frozenset({400, 415, 422}), param=frozenset(OUR_FILE)),
    ),
    _rule(
        7,
        FailureClass.CONFIG,
        _codes("DeploymentNotFound", "model_not_found", "model_not_available", "invalid_model"),
        _codes("missing_model", "OperationNotSupported", "OpperationNotSupported"),
        _codes("beta_api_shape_disabled", "unknown_parameter", "invalid_parameter", "invalid_value"),
        _codes("unsupported_value", "missing_required_parameter", "not_found_error"),
    ),
    _rule(8, FailureClass.CONTENT, _codes("content_filter", "ResponsibleAIPolicyViolation")),
    _rule(9, FailureClass.UNINTELLIGIBLE, _codes("audio_unintelligible")),
    _rule(10, FailureClass.LIFECYCLE, _codes("session_expired")),
)

NUMBERED: Sequence[FailureRule] = (
    _rule(2, FailureClass.AUTH, _status(401), Condition(status=frozenset({403}), caused=True)),
    _rule(4, FailureClass.QUOTA, _status(402)),
    # 498: Groq, "Flex Tier Capacity Exceeded". 529: the edges of several vendors, "overloaded".
    _rule(5, FailureClass.CAPACITY, _status(498, 529)),
    _rule(6, FailureClass.QUOTA, _status(429)),
    _rule(7, FailureClass.CONFIG, _close(4000, 4004), Condition(status=frozenset({422}), other_param=True)),
    _rule(9, FailureClass.AUDIO, _status(413, 415, 422)),
    _rule(7, FailureClass.CONFIG, Condition(status=_REFUSALS, caused=True)),
    # "Try again later" in IANA's registry of close codes: too much load, unless the reason said otherwise.
    _rule(5, FailureClass.CAPACITY, _close(1013)),
    # The rest of what rule 7 names: an `invalid_request_error` that none of the rules above knows better.
    _rule(7, FailureClass.CONFIG, Condition(type=frozenset({"invalid_request_error"}))),
    _rule(
        11,
        FailureClass.PROVIDER,
        Condition(
            item=True,
            no_code=True,
            type=frozenset({"server_error"}),
            phrase=("input transcription failed for item",),
        ),
    ),
    _rule(
        12,
        FailureClass.PROVIDER,
        Condition(type=frozenset({"server_error"})),
        _codes("transcription_failed", "Timeout", "InternalServerError", "ServiceUnavailable"),
        _status(408, 424, 500, 502, 503, 504),  # 424: what the answer depends on failed, as the model behind
        _close(1011, 1012, 1014),
        Condition(response=True),
    ),
)

# Tried after every rule above has passed: what a server explains itself is our request, not its fault.
LAST_RESORT: Sequence[FailureRule] = (
    _rule(15, FailureClass.CAPACITY, _says("session limit")),
    # RFC 6585, 6: a captive portal says that nothing beyond it was reached; so does a proxy with 407.
    _rule(15, FailureClass.NETWORK, _status(407, 511)),
    # RFC 9110, 15.6.2: the server cannot do what is asked, for any resource.
    _rule(15, FailureClass.CONFIG, _status(501)),
    _rule(15, FailureClass.PROVIDER, Condition(status=_OTHER_5XX)),
    _rule(
        15,
        FailureClass.AUTH,
        Condition(status=frozenset({403}), explained=True),
        # Starlette refuses an upgrade so for a wrong key, a wrong path and a missing parameter alike.
        Condition(status=frozenset({403}), refused=True, wordless=True),
        Condition(status=frozenset({403}), refused=True, phrase=("forbidden",)),
        _codes("Forbidden"),
        Condition(close=frozenset({1008}), phrase=("api key", "api_key", "unauthorized", "authentication")),
    ),
    _rule(
        15,
        FailureClass.CONFIG,
        _status(400, 404, 405, 410, 451),
        Condition(status=_OTHER_4XX, explained=True),
    ),
)

RULES: Sequence[FailureRule] = (*SPOKEN, *NAMED, *NUMBERED)


def first_match(rules: Iterable[FailureRule], clues: Clues) -> FailureRule | None:
    """The first rule with a condition that holds, or None."""
    return next((rule for rule in rules if any(when.holds(clues) for when in rule.any_of)), None)


def class_of_code(codes: Mapping[str, FailureClass], clues: Clues) -> FailureClass | None:
    """What a provider's own code, type or close code means, by the data of that provider.

    A key of two words is a type and its code: the same name may mean another thing elsewhere.
    """
    names = (f"{clues.type} {clues.code}", clues.code or "", clues.type or "", f"close {clues.close}")
    return next((codes[name] for name in names if name in codes), None)


def class_of_status(codes: Mapping[str, FailureClass], clues: Clues) -> FailureClass | None:
    """What a status that comes without a word means to a provider, by its data."""
    return None if clues.words else codes.get(f"status {clues.status}")
