"""Who gets a session: the upgrade request judged in the way of each vendor.

Azure answers a wrong request with an HTTP status; OpenAI mostly accepts the socket, says one error and
closes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from monitor.sandbox.azure_speech.websocket import Wanted
from monitor.sandbox.common import refusals
from monitor.sandbox.common.access import is_right_key, named_endpoint, shown_key
from monitor.sandbox.common.refusals import CloseAfterError, Complaint, Refusal
from monitor.sandbox.common.script import SPEECH_MODEL, Script, ServedEndpoint
from monitor.sandbox.common.secret_store import ClientSecret
from monitor.sandbox.common.session_kind import Dialect, Purpose
from monitor.sandbox.common.state import Sandbox
from monitor.sandbox.faults.active import ActiveFault
from monitor.sandbox.faults.catalogue import FaultMoment
from monitor.sandbox.faults.payloads import ASSAULTS
from monitor.sandbox.model_abilities import DATED_VERSIONS, abilities

_DATED = re.compile(r"\d{4}-\d\d-\d\d")
_SPEECH = re.compile(
    r"/speech/recognition/(?P<mode>interactive|conversation|dictation)/cognitiveservices/v1"
    r"|/stt/speech/universal/v2"
)
_BETA_OFF = "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API."
_ANSWERED_BY_CLOSE = (
    "401",
    "404",
    "429_quota",
    "429_credit",
)  # OpenAI says these inside the socket, the rest its edge says


class Admission(NamedTuple):
    """A session may begin."""

    dialect: Dialect
    purpose: Purpose
    host: str | None
    begins: bool = True  # False: the socket opens and nothing right follows
    fault: ActiveFault | None = None  # one that shows from the first frame on
    secret: ClientSecret | None = None  # what it was opened with in place of a key


class SpeechAdmission(NamedTuple):
    """A recognition may begin."""

    wanted: Wanted
    begins: bool = True
    fault: ActiveFault | None = None


class CompatibleAdmission(NamedTuple):
    """A session of a server with a dialect of its own may begin."""

    host: str | None  # the model in the address
    begins: bool = True
    fault: ActiveFault | None = None


class NeverAnswer(NamedTuple):
    """The upgrade is never answered."""


class UpgradeRequest(NamedTuple):
    """An upgrade request at an endpoint's address."""

    endpoint: ServedEndpoint
    path: str  # after the endpoint's name
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case

    secret: ClientSecret | None = None

    @property
    def key(self) -> str | None:
        """The key as the client showed it."""
        return shown_key(self.endpoint, self.headers, self.query)

    @property
    def may_enter(self) -> bool:
        """Whether it came with a right key or a client secret that holds."""
        return self.secret is not None or is_right_key(self.endpoint, self.key)

    @property
    def purpose(self) -> Purpose:
        """Which kind of session is asked for; a client secret has settled it."""
        if self.secret is not None:
            return self.secret.purpose
        return "transcription" if self.query.get("intent") == "transcription" else "realtime"

    @property
    def named(self) -> str | None:
        """The model or deployment in the address, else that of the client secret."""
        settled = self.secret.host if self.secret else None
        return self.query.get("deployment" if self.path == "/openai/realtime" else "model") or settled


def read_upgrade_request(script: Script, target: str, headers: Mapping[str, str]) -> UpgradeRequest | Refusal:
    """The visit that a request target and its headers describe."""
    path, _, query = target.partition("#")[0].partition("?")
    path = unquote(path)
    endpoint = named_endpoint(script, path)
    if endpoint is None:
        sentence = f"no endpoint of that name here; this sandbox serves: {', '.join(script.endpoints)}"
        return refusals.openai_refusal(404, sentence, code="endpoint_not_found")
    rest = path.removeprefix(f"/{endpoint.name}").rstrip("/")
    return UpgradeRequest(endpoint, rest, dict(parse_qsl(query)), headers)


def enter(
    sandbox: Sandbox, visit: UpgradeRequest
) -> Admission | SpeechAdmission | CompatibleAdmission | CloseAfterError | Refusal | NeverAnswer:
    """What becomes of a visit: a session, a refusal, or silence."""
    if visit.endpoint.kind == "speech":
        return _enter_speech(sandbox, visit)
    if visit.endpoint.kind == "compatible":
        return _enter_compatible(sandbox, visit)
    visit = visit._replace(secret=sandbox.secrets.find(visit.endpoint.name, visit.key))
    judge = _at_azure if visit.endpoint.kind == "azure" else _at_openai
    found = judge(visit)
    if not isinstance(found, Admission):
        return found
    pathway = "realtime" if found.purpose == "realtime" else "realtime_transcription"
    models = (visit.named, visit.endpoint.deployments.get(visit.named or ""))
    fault = sandbox.faults.strike(
        FaultMoment.UPGRADE, endpoint=visit.endpoint.name, pathway=pathway, models=models
    )
    return found if fault is None else _broken(visit.endpoint, fault, found)


def _enter_speech(sandbox: Sandbox, visit: UpgradeRequest) -> SpeechAdmission | Refusal | NeverAnswer:
    match = _SPEECH.fullmatch(visit.path)
    if match is None:
        return refusals.no_such_path(visit.endpoint, "GET", visit.path)
    if not visit.may_enter:
        return refusals.unauthorised(visit.endpoint, visit.key)
    if match["mode"] and not visit.query.get("language"):
        message = "The query parameter 'language' is missing."
        return refusals.speech_refusal(400, "InvalidArgument", message)
    fault = sandbox.faults.strike(
        FaultMoment.UPGRADE, endpoint=visit.endpoint.name, pathway="speech_ws", models=(SPEECH_MODEL,)
    )
    wanted = Wanted(match["mode"] or "universal", visit.query.get("format") == "detailed")
    if fault is None:
        return SpeechAdmission(wanted)
    if fault.fault in ASSAULTS:
        return SpeechAdmission(wanted, begins=False, fault=fault)
    if fault.fault == "no_upgrade":
        return NeverAnswer()
    return refusals.fault_refusal(visit.endpoint, fault, None)


def _enter_compatible(
    sandbox: Sandbox, visit: UpgradeRequest
) -> Admission | CompatibleAdmission | CloseAfterError | Refusal | NeverAnswer:
    found = _at_compatible(visit)
    if isinstance(found, Refusal):
        return found
    endpoint, model = visit.endpoint, visit.query.get("model")
    conversation = isinstance(found, Admission) and found.purpose == "realtime"
    fault = sandbox.faults.strike(
        FaultMoment.UPGRADE,
        endpoint=endpoint.name,
        pathway="realtime" if conversation else "realtime_transcription",
        models=(model, endpoint.deployments.get(model or "")),
    )
    return found if fault is None else _broken(endpoint, fault, found)


def _at_compatible(visit: UpgradeRequest) -> Admission | CompatibleAdmission | Refusal:
    """Servers differ in what the address must name: vLLM nothing, the others the model."""
    endpoint, model = visit.endpoint, visit.query.get("model")
    if visit.path != "/v1/realtime":
        return refusals.no_such_path(endpoint, "GET", visit.path)
    # Starlette's answer before an upgrade, to a wrong key as much as to a missing parameter.
    if not visit.may_enter or (endpoint.dialect != "vllm" and not model):
        return Refusal(403, b"", "text/plain")
    if endpoint.dialect == "ga":
        return Admission("ga", visit.purpose, model)
    if endpoint.dialect == "preview":
        return Admission("preview", visit.purpose, model)
    return CompatibleAdmission(model)


def _broken(
    endpoint: ServedEndpoint, fault: ActiveFault, admission: Admission | CompatibleAdmission
) -> Admission | CompatibleAdmission | CloseAfterError | Refusal | NeverAnswer:
    name = fault.fault
    if name == "no_upgrade":
        return NeverAnswer()
    if name == "no_created" or name in ASSAULTS:
        return admission._replace(begins=False, fault=fault)
    if name in ("no_pong", "drift_host"):
        return admission._replace(fault=fault)
    by_close = endpoint.kind == "openai" and (name == "refused" or name in _ANSWERED_BY_CLOSE)
    if name == "refused_openai" or by_close:
        return refusals.close_for_fault(fault, admission.host)
    return refusals.fault_refusal(endpoint, fault, admission.host)


def _at_openai(visit: UpgradeRequest) -> Admission | CloseAfterError | Refusal:
    if visit.path == "/v1/realtime/transcription_sessions":
        return refusals.openai_refusal(403, "Forbidden", code=None, kind="request_forbidden")
    if visit.path != "/v1/realtime":
        return refusals.no_such_path(visit.endpoint, "GET", visit.path)
    if not visit.may_enter:
        return refusals.close_for_key(visit.key)
    if "realtime=v1" in visit.headers.get("openai-beta", ""):
        return CloseAfterError(Complaint("beta_api_shape_disabled", _BETA_OFF), 4000)
    complaint = _openai_model(visit)
    if complaint is not None:
        return CloseAfterError(complaint, refusals.CLOSES.get(str(complaint.code), 4000))
    return Admission("ga", visit.purpose, visit.named, secret=visit.secret)


def _openai_model(visit: UpgradeRequest) -> Complaint | None:
    named = visit.named
    if visit.purpose == "transcription":
        message = "You must not provide a model parameter for transcription sessions."
        return Complaint("invalid_model", message) if named else None
    if not named:
        message = "You must provide a model parameter, for example wss://api.openai.com/v1/realtime?model=gpt-realtime-1.5"
        return Complaint("missing_model", message)
    if named in visit.endpoint.hosts:
        return None
    if named in visit.endpoint.deployments:
        message = (
            f'Model "{named}" is a transcription model and cannot be used as the realtime session model.'
        )
        return Complaint("invalid_model", message)
    return Complaint(
        "model_not_found", f"The model `{named}` does not exist or you do not have access to it."
    )


def _at_azure(visit: UpgradeRequest) -> Admission | Refusal:
    dialect: Dialect = "preview" if visit.path == "/openai/realtime" else "ga"
    version = visit.query.get("api-version")
    if visit.path not in ("/openai/v1/realtime", "/openai/realtime"):
        return refusals.no_such_path(visit.endpoint, "GET", visit.path)
    # Microsoft's migration guide: a dated api-version on the GA address fails authentication.
    dated_ga = dialect == "ga" and version is not None and bool(_DATED.match(version))
    if dated_ga or not visit.may_enter:
        return refusals.unauthorised(visit.endpoint, "")
    if dialect == "preview" and version not in DATED_VERSIONS:
        return refusals.no_such_path(visit.endpoint, "GET", visit.path)
    return _azure_model(visit, dialect) or Admission(dialect, visit.purpose, visit.named, secret=visit.secret)


def _azure_model(visit: UpgradeRequest, dialect: Dialect) -> Refusal | None:
    named, endpoint = visit.named, visit.endpoint
    if dialect == "ga" and visit.purpose == "transcription":
        message = "You must not provide a model parameter for transcription sessions."
        return refusals.azure_refusal(400, "BadRequest", message) if named else None
    if not named:
        field = "model" if dialect == "ga" else "deployment"
        return refusals.azure_refusal(400, "BadRequest", f"Missing required query parameter: {field}")
    if named in endpoint.hosts:
        return None
    model = endpoint.deployments.get(named)
    if model is None:
        return refusals.unknown_model(endpoint, named)
    takes_it = dialect == "preview" and visit.purpose == "transcription" and not abilities(model).live
    return None if takes_it else refusals.not_for_realtime()
