"""Makes a dictionary for stored evidence from runs of every pathway against the practice provider.

What is stored can only be read with the dictionary it was stored with: one that is in use is never made
again. A better one gets the next number, which `monitor/store/outcomes/pack.py` names as the newest.

    python scripts/evidence_dictionary.py 2    # writes monitor/store/outcomes/evidence-2.dictionary
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.core.model import Endpoint, Kind, Target
from monitor.pipeline.observe import Due, observe
from monitor.sandbox import Script, ServedEndpoint, create_app, parse_fault, running
from monitor.sandbox.common.script import KEY, NO_LATENCY
from monitor.sandbox.common.script import Kind as Kinds
from monitor.store.database.columns import to_json
from monitor.transport import Transport

FOLDER = Path(__file__).parents[1] / "monitor" / "store" / "outcomes"
LARGEST = 96 * 1024
COMMONEST = 3
FAULTS = ("500", "429", "401", "failed")


def targets(base: str) -> Iterator[Target]:
    """Every pathway, the most common ones last: what is near the end costs least to refer to."""
    quick: dict[str, Any] = {"pace": "burst", "timeout": timedelta(seconds=8)}
    speech = Endpoint(name="speech", provider="azure_speech", url=f"{base}/speech", key="env:K")
    openai = Endpoint(name="openai", provider="openai", url=f"{base}/openai/v1", key="env:K")
    azure = Endpoint(name="azure", provider="azure_openai", url=f"{base}/azure", key="env:K")
    for pathway in ("speech_rest", "speech_ws"):
        yield Target(endpoint=speech, model="base", pathway=pathway, **quick)
    for endpoint in (openai, azure):
        for pathway in ("dual", "rest_stream", "rest", "realtime_transcription", "realtime"):
            host = "gpt-realtime" if pathway in ("dual", "realtime") else None
            yield Target(
                endpoint=endpoint, model="gpt-4o-transcribe", pathway=pathway, session_model=host, **quick
            )


async def documents() -> list[bytes]:
    """The evidence of one run of each target; of runs that fail, one of each of the commonest pathways."""
    kinds: tuple[Kinds, ...] = ("azure", "openai", "speech")
    endpoints: dict[str, ServedEndpoint] = {kind: ServedEndpoint(name=kind, kind=kind) for kind in kinds}
    found: list[bytes] = []
    transport = Transport(secret=lambda _: KEY)
    for fault in (*FAULTS, None):
        broken = () if fault is None else (parse_fault({"fault": fault}),)
        script = Script(endpoints=endpoints, latency=NO_LATENCY, faults=broken)
        async with running(create_app(script)) as base:
            for target in list(targets(base))[-COMMONEST if fault else 0 :]:
                now = datetime.now(UTC)
                due = Due(target=target, slot=now, kind=Kind.MANUAL, location="here")
                seen = await observe(due, transport, now=now)
                found.append(to_json(seen.evidence).encode())
    await transport.aclose()
    return found


def main() -> None:
    """Write the dictionary of the number given; refuses one that is there."""
    number = argparse.ArgumentParser(description=__doc__)
    number.add_argument("number", type=int)
    path = FOLDER / f"evidence-{number.parse_args().number}.dictionary"
    if path.exists():
        raise SystemExit(
            f"{path} is there already, and what was stored with it needs it: take the next number"
        )
    whole = b"".join(asyncio.run(documents()))
    content = whole[-LARGEST:]
    path.write_bytes(content)
    print(f"{path}: {len(content):,} of {len(whole):,} bytes")


if __name__ == "__main__":
    main()
