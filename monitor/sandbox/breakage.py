"""How a fault shows on an HTTP request before anything is worked out: statuses, silence, delay, loss.

Faults that need an answer to spoil are shown where the answer is made.
"""

from __future__ import annotations

from starlette.responses import Response

from monitor.sandbox import refusals
from monitor.sandbox.calls import Call, cut, until_gone
from monitor.sandbox.faults import Fault
from monitor.sandbox.kinds import KINDS


async def http_breakage(call: Call, fault: Fault | None, model: str | None) -> Response | None:
    """The answer that *fault* gives in place of the right one; None where work may go on.

    A silent one returns when the client has hung up, and a slow one lets its time pass here.
    """
    if fault is None:
        return None
    if KINDS[fault.fault].inside:
        return call.answer(refusals.fault_refusal(call.endpoint, fault, model), model)
    match fault.fault:
        case "drop":
            return cut(call)
        case "silent":
            await until_gone(call.request)
            return Response(status_code=502)
        case "slow":
            await call.sandbox.sleep(float(fault.extras.get("delay", 10)))
    return None
