"""The texts of refusals that come as a status, in each vendor's words, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class StatusText(NamedTuple):
    """Azure's code and message; OpenAI's type, code and message."""

    azure: tuple[str, str]
    openai: tuple[str, str | None, str]


_BAD = "invalid_request_error"
_ROLE = (
    "The principal `00000000-0000-0000-0000-000000000000` lacks the required data action"
    " `Microsoft.CognitiveServices/accounts/OpenAI/deployments/audio/action` to perform"
    " `POST /openai/deployments/{deployment-id}/audio/transcriptions` operation."
)
_RATE_OF_TOKENS = (
    "Requests to the Audio_Transcribe Operation under Azure OpenAI API have exceeded token rate limit"
    " of your current OpenAI S0 pricing tier. Please retry after 20 seconds."
)
_FILTERED = "The response was filtered due to the prompt triggering the content management policy."
_FORMAT = (
    "Invalid file format. Supported formats: ['flac', 'm4a', 'mp3', 'mp4', 'mpeg', 'ogg', 'wav', 'webm']"
)
_TOO_LARGE = "413: Maximum content size limit (26214400) exceeded (26294972 bytes read)"
_NO_CREDITS = "You have no credits remaining. Add credits to continue."
_LOWERED = (
    "Rate limit is exceeded. The limit of this deployment is lowered for the time being. Try again later."
)
_REGION = "Country, region, or territory not supported"

STATUS_TEXTS: Mapping[str, StatusText] = {
    "400": StatusText(("BadRequest", "The request is invalid."), (_BAD, None, "The request is invalid.")),
    "400_filter": StatusText(("content_filter", _FILTERED), (_BAD, "content_filter", _FILTERED)),
    "401_role": StatusText(
        ("PermissionDenied", _ROLE),
        (_BAD, None, "You have insufficient permissions for this operation. Missing scopes: model.request"),
    ),
    "401_token": StatusText(
        ("401", "Access token is missing, invalid, audience is incorrect, or have expired."),
        (_BAD, "token_expired", "Your authentication token has expired."),
    ),
    "401_ip": StatusText(
        ("AccessDenied", "Access denied due to Virtual Network/Firewall rules."),
        (_BAD, "ip_not_authorized", "Your IP address is not authorized to access this API key's project."),
    ),
    "403_region": StatusText(
        ("AccessDenied", "The service is not available in your region."),
        ("request_forbidden", "unsupported_country_region_territory", _REGION),
    ),
    "403_blocked": StatusText(
        ("403", "Your resource has been temporarily blocked because potential abuse was detected."),
        (_BAD, "account_deactivated", "The account has been deactivated."),
    ),
    "404_path": StatusText(
        ("404", "Resource not found"), (_BAD, None, "Invalid URL (POST /v1/audio/transcriptions)")
    ),
    "413": StatusText(("413", _TOO_LARGE), ("server_error", None, _TOO_LARGE)),
    "415": StatusText(("UnsupportedMediaType", _FORMAT), (_BAD, None, _FORMAT)),
    "422": StatusText(
        ("UnprocessableEntity", "The audio could not be processed."),
        (_BAD, None, "The audio could not be processed."),
    ),
    "429_credit": StatusText(
        ("429", _NO_CREDITS), ("insufficient_quota", "credit_balance_exhausted", _NO_CREDITS)
    ),
    "429_limit": StatusText(("429", _LOWERED), ("tokens", "rate_limit_exceeded", _LOWERED)),
    "429_tokens": StatusText(
        ("429", _RATE_OF_TOKENS),
        ("tokens", "rate_limit_exceeded", "Rate limit reached on tokens per min (TPM): Limit 3, Used 3"),
    ),
}
