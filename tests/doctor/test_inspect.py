"""How far a host was reached, and whose fault it is that it was no further."""

from __future__ import annotations

from monitor.core.conversation import FaultKind
from monitor.core.model import Failure, Stage
from monitor.doctor.inspect import reached_of
from monitor.transport import ProbeResult


def test_what_the_proxy_or_the_system_refused_is_ours() -> None:
    """Any other fault belongs to the stage it came at."""
    ours = ProbeResult(
        stage=Stage.CONNECT, seconds=1.0, fault=FaultKind.MONITOR, detail="answered 407", by_proxy=True
    )
    theirs = ProbeResult(stage=Stage.RESOLVE, seconds=1.0, fault=FaultKind.NAME, detail="unknown")
    assert reached_of("https://user@contoso.test:8443/x", ours).failure is Failure.MONITOR
    assert reached_of("https://contoso.test", theirs).failure is Failure.DNS
    assert reached_of("https://contoso.test", ours).by_proxy
    assert not reached_of("https://contoso.test", theirs).by_proxy
    assert reached_of("https://user@contoso.test:8443/x", ours).host == "contoso.test:8443"
