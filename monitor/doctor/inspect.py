"""Look at the configuration, the machine and the endpoints, and collect what is wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from monitor.catalogue.retirements import retirements_of
from monitor.clips import load_clip
from monitor.config import Settings, missing_secrets, resolve
from monitor.config.field_types import is_loopback
from monitor.config.problems import nearest
from monitor.core.conversation import FaultKind
from monitor.core.errors import DatabaseMissing, MonitorError
from monitor.core.model import Failure, Stage, Target
from monitor.doctor.findings import (
    DoctorFinding,
    Level,
    Reached,
    cheapest,
    of_host,
    of_run,
)
from monitor.pipeline.retirements import Listing, ask_lists
from monitor.providers.provider import names_asked
from monitor.service.build import secrets, transport_of
from monitor.service.check_once import check_all
from monitor.service.self_check import (
    FEWEST_DESCRIPTORS,
    LEAST_DISK,
    control_url,
    free_descriptors,
    free_disk,
)
from monitor.store.database.engine import open_database
from monitor.store.database.migrate import check_schema, is_empty
from monitor.transport import ProbeResult, Transport

OURS = "monitor"
REACH_WITHIN_S = 10.0
_FAILURES = {Stage.RESOLVE: Failure.DNS, Stage.CONNECT: Failure.CONNECT, Stage.TLS: Failure.TLS}


def _fine(subject: str, said: str) -> DoctorFinding:
    return DoctorFinding(area=OURS, subject=subject, level=Level.FINE, said=said)


def _note(subject: str, said: str, remedy: str) -> DoctorFinding:
    return DoctorFinding(area=OURS, subject=subject, level=Level.NOTE, said=said, remedy=remedy)


def _fault(subject: str, said: str, remedy: str) -> DoctorFinding:
    return DoctorFinding(area=OURS, subject=subject, level=Level.FAULT, said=said, remedy=remedy)


def _of_settings(settings: Settings) -> Iterator[DoctorFinding]:
    counts = f"endpoints: {len(settings.endpoints)}, targets: {len(settings.targets)}"
    yield _fine("configuration", f"{settings.path} is understood: {counts}")
    missing = missing_secrets(settings, os.environ)
    for one in missing:
        yield _fault("secrets", str(one), "Set the variable, or put the secret into the file that is named.")
    if not missing:
        yield _fine("secrets", f"all {len(settings.secrets)} references give a secret")
    yield from _of_clips(settings.targets)
    if not settings.channels:
        yield _note("channels", "there is none", "Add a [channel.…]: nobody is told of an outage.")
    if is_loopback(urlsplit(settings.web.base_url).hostname or ""):
        said = f"links in alerts lead to {settings.web.base_url}, which is this machine"
        yield _note("public_url", said, "Set public_url in [web] to where people reach the page.")


def _of_clips(targets: Sequence[Target]) -> Iterator[DoctorFinding]:
    names = list(dict.fromkeys(name for target in targets for name in (target.clip, *target.clips)))
    for name in names:
        try:
            load_clip(name)
        except MonitorError as error:
            yield _fault("clips", str(error), "Restore the file, or name another clip in [[watch]].")
        else:
            yield _fine("clips", f"{Path(name).name} is whole")


def _of_database(settings: Settings) -> Iterator[DoctorFinding]:
    """Reachable, its schema ours, writable, room on its disk; an absent SQLite file is made at the start."""
    try:
        database = open_database(resolve(settings.database.url, os.environ), create=False)
    except DatabaseMissing as error:
        yield _note("database", str(error), "`earwitness serve` or `migrate` makes it.")
        return
    except MonitorError as error:
        yield _fault("database", str(error), "See [database] url.")
        return
    try:
        if is_empty(database):
            yield _note("database", f"{database.place} is empty", "`earwitness serve` or `migrate` fills it.")
        else:
            check_schema(database)
            with database.write():
                yield _fine("database", f"{database.place} is reachable and writable, its schema is ours")
    except MonitorError as error:
        yield _fault("database", str(error), "Do what the sentence says, and ask again.")
    finally:
        database.dispose()
    disk = None if database.folder is None else free_disk(database.folder)
    if disk is not None:
        said = f"{disk // 1024**2:,} MiB are free where the database lies"
        yield _fine("disk", said) if disk >= LEAST_DISK else _fault("disk", said, "Make room.")


def _of_retirements(settings: Settings, lists: Sequence[Listing], now: datetime) -> Iterator[DoctorFinding]:
    """Whether the endpoints' own lists were had, and what ends by them and by the shipped table."""
    for one in lists:
        yield _listed(one)
    given = {one.endpoint: one.ends for one in lists if one.ends is not None}
    for ending in retirements_of(settings.targets, given):
        remedy = (
            "Move to its successor, and watch both until then."
            if ending.certain
            else "Look up the retirement date of your deployment in the portal."
        )
        yield _note("retirement", ending.sentence(now), remedy)


def _listed(one: Listing) -> DoctorFinding:
    if one.ends is None:
        said, remedy = f"not had: {one.why}", "Nothing need be done: the shipped table of last days counts."
        return DoctorFinding(
            area=one.endpoint, subject="list of models", level=Level.NOTE, said=said, remedy=remedy
        )
    said = f"read; models with a last day: {len(one.ends)}"
    return DoctorFinding(area=one.endpoint, subject="list of models", level=Level.FINE, said=said)


def _of_names(settings: Settings, lists: Sequence[Listing]) -> Iterator[DoctorFinding]:
    """Whether each endpoint lists the models that are asked of it; one that lists none says nothing."""
    for one in lists:
        mine = [target for target in settings.targets if target.endpoint.name == one.endpoint]
        asked = dict.fromkeys(name for target in mine for name in names_asked(target)) if one.models else {}
        missing = [name for name in asked if name not in one.models]
        for name in missing:
            said = f"'{name}' is not in the server's list; {nearest(name, sorted(one.models))}"
            remedy = "Write the name as the server lists it, in `models` or in the model's deployment table."
            yield DoctorFinding(
                area=one.endpoint, subject="models", level=Level.NOTE, said=said, remedy=remedy
            )
        if asked and not missing:
            said = f"the server lists what is asked of it: {', '.join(asked)}"
            yield DoctorFinding(area=one.endpoint, subject="models", level=Level.FINE, said=said)


def _of_machine() -> Iterator[DoctorFinding]:
    free = free_descriptors()
    if free is not None:
        said = f"{free:,} more files and sockets can be opened"
        few = free < FEWEST_DESCRIPTORS
        yield _fault("limits", said, "Raise it with `ulimit -n`.") if few else _fine("limits", said)


async def _of_endpoints(settings: Settings, now: datetime) -> list[DoctorFinding]:
    transport = transport_of(settings)
    try:
        remarks = [
            *await _of_control_hosts(settings, transport),
            *await _of_channels(settings, transport, now),
        ]
        watched = {target.endpoint.name: target.endpoint for target in settings.targets}
        unreached: set[str] = set()
        for endpoint in watched.values():
            reached = await _reach(transport, endpoint.url, endpoint.proxy)
            found = list(of_host(endpoint.name, reached, now))
            remarks += found
            if any(remark.level in (Level.PROBLEM, Level.FAULT) for remark in found):
                unreached.add(endpoint.name)
        unasked = unreached | _keyless(settings)
        asked = [endpoint for name, endpoint in watched.items() if name not in unasked]
        lists = await ask_lists(asked, transport)
        remarks += _of_retirements(settings, lists, now)
        remarks += _of_names(settings, lists)
    finally:
        await transport.aclose()
    return [*remarks, *await _of_targets(settings, unasked)]


def _keyless(settings: Settings) -> set[str]:
    """The endpoints whose key is missing, which is told with the secrets."""
    missing = missing_secrets(settings, os.environ, sections=("endpoint",))
    return {one.key.split(".")[1] for one in missing}


async def _of_targets(settings: Settings, unasked: set[str]) -> list[DoctorFinding]:
    asked = [target for target in cheapest(settings.targets) if target.endpoint.name not in unasked]
    seen = await check_all(settings, asked)
    return [
        remark
        for target, one in zip(asked, seen, strict=True)
        for remark in of_run(target, one.outcome, one.evidence)
    ]


async def _of_control_hosts(settings: Settings, transport: Transport) -> list[DoctorFinding]:
    hosts = settings.monitor.control_hosts
    if not hosts:
        remedy = "Name two hosts that have nothing to do with a provider in [monitor] control_hosts."
        return [_note("control hosts", "there is none: a fault of our own network cannot be told", remedy)]
    found = [await transport.reach(control_url(host), deadline=REACH_WITHIN_S) for host in hosts]
    return [
        _fine("control hosts", f"{host} is reachable")
        if reach.reached
        else _fault("control hosts", f"{host}: {reach.stage}: {reach.detail}", "Look at our own network.")
        for host, reach in zip(hosts, found, strict=True)
    ]


async def _of_channels(settings: Settings, transport: Transport, now: datetime) -> list[DoctorFinding]:
    remarks: list[DoctorFinding] = []
    for channel in settings.channels.values():
        try:
            url = secrets()(channel.url)
        except MonitorError:
            continue  # told with the secrets
        for remark in of_host(OURS, await _reach(transport, url), now):
            named = f"channel {channel.name}, {remark.said}"  # the address may be a secret itself
            level = Level.FAULT if remark.level is Level.PROBLEM else remark.level
            remarks.append(
                DoctorFinding(area=OURS, subject="channels", level=level, said=named, remedy=remark.remedy)
            )
    return remarks


async def _reach(transport: Transport, url: str, proxy: str | None = None) -> Reached:
    return reached_of(url, await transport.reach(url, deadline=REACH_WITHIN_S, proxy=proxy))


def reached_of(url: str, reach: ProbeResult) -> Reached:
    """What the transport found of a URL's host, in the words of a check-up."""
    failure = None if reach.reached else _FAILURES.get(reach.stage, Failure.CONNECT)
    return Reached(
        host=urlsplit(url).netloc.rpartition("@")[2],
        stage=reach.stage,
        seconds=reach.seconds,
        failure=Failure.MONITOR if reach.fault is FaultKind.MONITOR else failure,
        detail=reach.detail,
        by_proxy=reach.by_proxy,
        tls=reach.tls,
        certificate_ends=reach.certificate_ends,
    )
