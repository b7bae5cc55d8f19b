"""What is to be seen and done for each failure, as data; it decides nothing and is read by people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.core.classification.classify import SLOW_FACTOR
from monitor.core.classification.word_error_rate import DEGRADES, PASSES
from monitor.core.model import Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """One failure: `seen` says in a sentence what the run met, `do` what a person does about it."""

    seen: str
    do: str


REMEDIES: Mapping[Failure, Remedy] = {
    Failure.DNS: Remedy(
        seen="The host's name could not be resolved.",
        do="Compare with another host from the same place. If that fails too, look at your resolver. "
        "If only this name fails, check the spelling of `url`, and that the resource still exists.",
    ),
    Failure.CONNECT: Remedy(
        seen="No TCP connection: refused, unreachable, or closed before a word was said.",
        do="Check firewall, proxy and route from this location. A private endpoint answers inside its "
        "network only. Where other hosts are reachable, it is the provider's edge or the route to it.",
    ),
    Failure.TLS: Remedy(
        seen="The connection stood, TLS did not: a certificate that is expired, unknown or made for "
        "another name, or a handshake that broke off.",
        do="Behind a company proxy set `ca_file` in `[network]`. Otherwise look at the certificate: a "
        "wrong name points to `url`, an expired one to whoever runs the host.",
    ),
    Failure.HANDSHAKE: Remedy(
        seen="The host answered the WebSocket upgrade with something that is no upgrade and that explains "
        "nothing.",
        do="Something between you and the provider may not pass WebSocket: compare with `rest`. Check "
        "that `url` and `dialect` are meant for this server.",
    ),
    Failure.AUTH: Remedy(
        seen="The key was refused.",
        do="Check the key and that it belongs to this resource. Look for keys that are disabled by policy, "
        "and for a missing role; a role assignment takes some minutes to work. A 403 to the "
        "upgrade may mean the path or a parameter of the address as well: see `session_query`.",
    ),
    Failure.CONFIG: Remedy(
        seen="The provider understood the request and says that there is no such deployment, model or "
        "parameter, or that it does not answer your network.",
        do="Compare the name of the deployment, `session_model`, `api` and `dialect` with what the resource "
        "has; `earwitness validate` prints the addresses in use. Right after a deployment was made, wait "
        "five minutes.",
    ),
    Failure.QUOTA: Remedy(
        seen="A rate limit or the account's credit is used up.",
        do="Find who else uses the deployment. Raise `every`, lower `max_per_minute`, or raise the quota. "
        "For a billing limit, pay or raise it.",
    ),
    Failure.CAPACITY: Remedy(
        seen="The provider says that it is too busy, though your quota is not used up.",
        do="Send the ticket. Until it passes, use another region, another deployment type or another model.",
    ),
    Failure.SERVER: Remedy(
        seen="The provider failed: a server error, a generic `failed` event, or a connection that was lost "
        "after the session was ready.",
        do="If it passed before, send the ticket with the ids and switch to a healthy control. If it never "
        "passed, check that the deployment exists: the same error comes where it does not.",
    ),
    Failure.SILENT: Remedy(
        seen="The connection stayed open and the answer never came, until the deadline of the stage or of "
        "the run.",
        do="As for `server`. If runs are only slow, raise `timeout`; it stays below `every`.",
    ),
    Failure.PROTOCOL: Remedy(
        seen="An answer that cannot be understood: no JSON, a broken frame, an event without its parts, or "
        "more than is accepted.",
        do="Read the frames on the run's page. A gateway's HTML page points to the gateway; a changed event "
        "needs a change in Earwitness: report it with the bundle.",
    ),
    Failure.CONTENT: Remedy(
        seen="A content filter refused harmless speech.",
        do="Send the ticket: the recording is known and harmless. Look at the deployment's filter settings.",
    ),
    Failure.AUDIO: Remedy(
        seen="Our recording was refused: its form, length, size or encoding.",
        do="The run measured nothing. With a recording of your own, check its form and length; with a "
        "shipped one, check `sample_rate`, and report it.",
    ),
    Failure.QUALITY: Remedy(
        seen=f"Words came, and they are wrong: word error rate above {PASSES:g} (up to {DEGRADES:g} it is "
        "degraded, above it failed); or none came, or some came for silence, or a known recording was "
        "called unintelligible.",
        do="Compare what was heard with the recording's text on the run's page. If other recordings and "
        "pathways are right, send the ticket; with a recording of your own, check `language` and its text.",
    ),
    Failure.LIFECYCLE: Remedy(
        seen="The session ended because it had reached its greatest age.",
        do="The run measured nothing. If it happens again and again, a session was handed out that was old "
        "already: look at the gateway between.",
    ),
    Failure.MONITOR: Remedy(
        seen="Our own side could not measure: the clock was stepped or the process stood still during the "
        "run, a secret or a recording could not be read, or something of ours broke.",
        do="Read the log of Earwitness; check clock synchronisation, disk and load of its machine.",
    ),
    Failure.UNKNOWN: Remedy(
        seen="An error that no rule knows.",
        do="Read its code and message on the run's page. Report it with the bundle, so that it gets a rule.",
    ),
}

SLOWNESS = Remedy(
    seen="The words are right and came late: over `limit`, or over "
    f"{SLOW_FACTOR} × what is usual for the target and the recording: the median of the newest 7 days in "
    "which it passed.",
    do="Compare with the other pathways and regions. Set `limit` to what your product can bear.",
)
