"""One turn of the deliverer's loop, awaited to its end."""

from __future__ import annotations

import asyncio

from monitor.pipeline.deliver import Deliverer


async def deliver_one(deliverer: Deliverer) -> bool:
    """Claim and attempt one notice that is due; whether there was one."""
    notice = await asyncio.to_thread(deliverer._claim)
    if notice is None:
        return False
    await deliverer._deliver(notice)
    return True
