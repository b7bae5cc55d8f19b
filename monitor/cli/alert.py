"""``earwitness alert-test``: a drill to one channel, with the real text and link."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter

from monitor.catalogue.sample_names import SAMPLE_CONTROLS, SAMPLE_ENDPOINT, SAMPLE_FAILURE
from monitor.cli.arguments import Config
from monitor.cli.terminal import complain, say
from monitor.config import Settings, check_secrets
from monitor.core.alerting.drill import drill_notice, sample_incident
from monitor.core.alerting.notice import Notice, NoticeKind
from monitor.core.alerting.retry import Delivered, NoticeReply, NoticeRequest
from monitor.core.errors import ConfigurationError, NotFound
from monitor.core.model import Cell, Target
from monitor.core.sanitize import one_line
from monitor.core.scheduling.attention import neighbours
from monitor.notifiers import CHANNELS
from monitor.pipeline.deliver import ChannelAddress, compose, post
from monitor.service.build import derivation_settings_of, secrets, settings_of, transport_of
from monitor.transport import Transport

_LONGEST = 2000
_SHORTEST = 3  # what is shorter is no secret, and would blank out words


def alert_test(
    channel: str,
    *,
    as_: Annotated[str, Parameter(name="--as")] = NoticeKind.TEST.value,
    config: Config = None,
) -> int:
    """Send a notice marked DRILL and print request and reply; exit code 1 where it was not accepted.

    Parameters
    ----------
    channel
        The name of a [channel.NAME].
    as_
        test, incident.opened, incident.updated, incident.recovering, incident.resolved,
        model.retirement, monitor.storage_lost or monitor.storage_restored.

    """
    settings = settings_of(config)
    if channel not in settings.channels:
        known = ", ".join(settings.channels) or "none is configured"
        raise NotFound(f"unknown channel {channel}; the configured ones: {known}")
    kind = _kind(as_)
    check_secrets(settings, os.environ, sections=("network", "channel"))
    now = datetime.now(UTC)
    return asyncio.run(_send(settings, channel, _drill(settings, kind, channel, now)))


def _kind(text: str) -> NoticeKind:
    try:
        return NoticeKind(text)
    except ValueError:
        listed = ", ".join(NoticeKind)
        raise ConfigurationError([f"--as {text}: one of {listed} is expected"]) from None


def _drill(settings: Settings, kind: NoticeKind, channel: str, now: datetime) -> Notice:
    affected, controls, region = _cells(settings)
    sample = sample_incident(kind, now, affected, controls, region=region, number=1)
    return drill_notice(kind, channel, now, sample, voice=derivation_settings_of(settings).voice)


def _cells(settings: Settings) -> tuple[Cell, Sequence[Cell], str | None]:
    """A configured target with its neighbours; the reference day's where nothing is watched yet."""
    here = settings.monitor.location
    if not settings.targets:
        failing, *controls = (
            Cell(SAMPLE_ENDPOINT, model, pathway, here)
            for model, pathway in (SAMPLE_FAILURE, *SAMPLE_CONTROLS)
        )
        return failing, controls, None
    target = max(settings.targets, key=lambda one: len(neighbours(one, settings.targets)))
    beside = neighbours(target, settings.targets)[:2]
    return _cell(target, here), [_cell(one, here) for one in beside], target.endpoint.region


def _cell(target: Target, location: str) -> Cell:
    return Cell(target.endpoint.name, target.model, target.pathway, location)


async def _send(settings: Settings, channel: str, notice: Notice) -> int:
    transport = transport_of(settings)
    try:
        request, reply = await _exchange(settings, channel, notice, transport)
    finally:
        await transport.aclose()
    _show(request, reply, _secrets_of(settings, channel))
    kind = settings.channels[channel].kind
    judgement = CHANNELS[kind].judge(reply, 1, datetime.now(UTC))
    accepted = isinstance(judgement, Delivered)
    (say if accepted else complain)(
        f"{channel}: {'accepted' if accepted else 'not accepted'}: {judgement.reason}"
    )
    return 0 if accepted else 1


async def _exchange(
    settings: Settings, channel: str, notice: Notice, transport: Transport
) -> tuple[NoticeRequest, NoticeReply]:
    configured = settings.channels[channel]
    receiver = ChannelAddress(kind=configured.kind, url=configured.url, secret=configured.secret)
    request = compose(notice, receiver, secrets(), now=datetime.now(UTC))
    return request, await post(request, transport)


def _secrets_of(settings: Settings, channel: str) -> Sequence[str]:
    """What of the channel is secret: its own secret, its address, and the last part of that."""
    configured, resolve = settings.channels[channel], secrets()
    url = resolve(configured.url)
    known = [resolve(configured.secret).strip() if configured.secret else "", url, url.rpartition("/")[2]]
    return [text for text in known if len(text) > _SHORTEST]


def _show(request: NoticeRequest, reply: NoticeReply, hidden: Sequence[str]) -> None:
    """The exchange without the address, which may be a secret itself, and without what is *hidden*."""
    sent = "\n".join(
        [
            "POST (the channel's url)",
            *(f"{name}: {value}" for name, value in request.headers.items()),
            "",
            request.body.decode(),
            "",
        ]
    )
    for secret in hidden:
        sent = sent.replace(secret, "…")
    say(sent)
    if reply.status is None:
        say(f"no answer: {reply.detail}")
        return
    say(f"HTTP {reply.status}")
    say(one_line(reply.body.decode("utf-8", "replace"), _LONGEST))
