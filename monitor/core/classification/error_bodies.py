"""Reading what a provider wrote: JSON of any kind, and its error in any of the shapes seen in the field.

Everything here is total: whatever comes gives a value or a ValueError, within a bound of size, and
every text that leaves can be encoded and stored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

import orjson

from monitor.core.conversation import ProviderError

MESSAGE_BYTES = 2048
NAME_BYTES = 200
# How servers write "nothing" where a name is due (LiteLLM sends the word "None").
_NOTHING = frozenset({"", "none", "null"})
# The bounded repetitions keep the time linear on pages made to be slow.
_MARKUP = re.compile(r"<(script|style)\b.{0,2000}?</\1\s*>|<[^<>]{0,500}>", re.IGNORECASE | re.DOTALL)
_SPACE = re.compile(r"\s+")
# Where servers put the sentence and the code, the usual names first.
_SENTENCES = (
    "message", "detail", "error_msg", "error_message", "errorMessage", "error_description", "err_msg", "msg",
    "Message", "faultstring", "description", "reason", "title",
)  # fmt: skip
_CODES = ("code", "error_code", "errorCode", "err_code", "statusCode", "status")


def bounded(text: str, limit: int = MESSAGE_BYTES) -> str:
    """The text in at most *limit* bytes of UTF-8, verbatim where it fits, else ending in ``…``.

    NUL and lone surrogates, which databases and encoders refuse, become U+FFFD.
    """
    clean = text[: limit + 1].replace("\x00", "\ufffd")
    raw = clean.encode("utf-8", "surrogatepass")
    safe = raw.decode("utf-8", "replace").encode() if b"\xed" in raw else raw
    if len(safe) <= limit and len(text) <= limit:
        return safe.decode()
    return safe[: limit - 3].decode("utf-8", "ignore") + "…"


def read_json(raw: str | bytes) -> object:
    """The value that the JSON text holds; raises ValueError for anything that is none."""
    try:
        value: object = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _read_leniently(raw)
    return value


def _read_leniently(raw: str | bytes) -> object:
    """What the quick parser refuses and servers write all the same: NaN, lone surrogates, UTF-16."""
    try:
        value: object = json.loads(raw)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def mapping(value: object) -> Mapping[str, object]:
    """The value if it is an object, else an empty one: fields of a stranger are all optional."""
    return value if isinstance(value, dict) else {}


def text_of(value: object, limit: int = NAME_BYTES) -> str | None:
    """A bounded text for a string or a number (some servers send codes as numbers), else None."""
    if isinstance(value, str):
        return None if value.strip().lower() in _NOTHING else bounded(value, limit)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15:
        return str(value)
    return None


def read_error(value: object) -> ProviderError:
    """The error that stands under the key `error`: an object, a bare string, or one inside another."""
    if isinstance(value, str):
        return ProviderError(message=bounded(value) or None)
    fields = mapping(value)
    nested = _nested(fields)
    if isinstance(nested, dict) and nested:
        fields = nested
    elif isinstance(nested, str) and nested:
        fields = _beside_a_string(nested, fields)
    return ProviderError(
        type=_type(fields),
        code=_code(fields) or _inner_code(fields),
        message=_message(fields),
        param=text_of(fields.get("param")) or _pointer(fields),
    )


def _beside_a_string(error: str, fields: Mapping[str, object]) -> Mapping[str, object]:
    """What stands beside a bare string: vLLM's code; a sentence, where the string is only its name."""
    said = _message(fields)
    if said is None:
        return {"message": error, "code": fields.get("code")}
    if " " in error.strip():
        return {"message": f"{error}: {said}", "code": _code(fields)}
    return {"message": said, "code": _code(fields) or error}


def _type(fields: Mapping[str, object]) -> str | None:
    """The type; problem details have an address there (RFC 9457, 3.1.1), which names nothing."""
    kind = text_of(fields.get("type"))
    return None if kind and ":" in kind else kind


def _nested(fields: Mapping[str, object]) -> object:
    """What holds the error: `error`, the first of JSON:API's `errors`, or Apigee's `fault`."""
    several = fields.get("errors")
    first = several[0] if isinstance(several, list) and several else several
    return fields.get("error") or first or fields.get("fault")


def _code(fields: Mapping[str, object]) -> str | None:
    """The code under any of its names."""
    for key in _CODES:
        code = text_of(fields.get(key))
        if code is not None:
            return code
    return None


def _message(fields: Mapping[str, object]) -> str | None:
    """The sentence under any of its names: OpenAI's, gateways', problem details' and JSON:API's, AWS's."""
    for key in _SENTENCES:
        said = text_of(fields.get(key), MESSAGE_BYTES)
        if said is not None:
            return said
    return None


def _pointer(fields: Mapping[str, object]) -> str | None:
    """The parameter that JSON:API's `source` names."""
    source = mapping(fields.get("source"))
    pointer = text_of(source.get("pointer")) or text_of(source.get("parameter"))
    return pointer.rpartition("/")[2] if pointer else None


def _inner_code(fields: Mapping[str, object]) -> str | None:
    """Azure's finer code of content filtering, under either spelling of the key."""
    inner = mapping(fields.get("innererror") or fields.get("inner_error"))
    return text_of(inner.get("code"))


def error_in(body: bytes) -> ProviderError:
    """The error in a response body, whatever its shape; text and HTML give a message only.

    The shapes: ``{"error": {…}}``, ``{"error": "text"}``, ``{"detail": "text"}``,
    ``{"detail": [{loc, msg, type}]}``, ``{"detail": {"error": {…}}}``, ``{"code", "message"}``,
    ``{"error_msg": "text"}``, ``{"errors": [{status, title, detail}]}``, problem details, a bare string and
    plain text. An object of any other shape is quoted as it stands: what a server says is never lost.
    """
    try:
        value = read_json(body)
    except ValueError:
        return ProviderError(message=_plain(body))
    if isinstance(value, list) and value:
        value = value[0]  # Google's gateways wrap the object in a list
    if isinstance(value, str):
        return ProviderError(message=text_of(value, MESSAGE_BYTES))
    fields = mapping(value)
    error = _of_fields(fields)
    if error == ProviderError() and any(fields.values()):
        return ProviderError(message=_plain(body))
    return error


def _of_fields(fields: Mapping[str, object]) -> ProviderError:
    detail = fields.get("detail")
    if isinstance(detail, list | dict) and detail and not _nested(fields):
        return _of_detail(detail)
    return read_error(fields)


def _of_detail(detail: object) -> ProviderError:
    """FastAPI's ways: a list of complaints, or an object with an error of its own."""
    if isinstance(detail, list):
        complaints = [_complaint(mapping(each)) for each in detail[:10]]
        said = bounded("; ".join(filter(None, complaints))) or None
        return ProviderError(message=said, param=_place(mapping(detail[0])))
    return read_error(detail)


def _place(fields: Mapping[str, object]) -> str | None:
    """The field of the form that a complaint is about, without the part of the request that holds it."""
    location = fields.get("loc")
    parts = location[1:] if isinstance(location, list) else []
    return next((text_of(part) for part in reversed(parts) if isinstance(part, str)), None)


def _complaint(fields: Mapping[str, object]) -> str:
    location = fields.get("loc")
    parts: Sequence[object] = location if isinstance(location, list) else ()
    place = ".".join(str(part) for part in parts[:8] if isinstance(part, str | int))
    said = text_of(fields.get("msg"), MESSAGE_BYTES) or ""
    return bounded(f"{place}: {said}" if place else said)


def _plain(body: bytes) -> str | None:
    """The words of a page or a plain text, without markup."""
    text = body[: 4 * MESSAGE_BYTES].decode("utf-8", "replace")
    words = _SPACE.sub(" ", _MARKUP.sub(" ", text)).strip()
    return bounded(words) if words else None
