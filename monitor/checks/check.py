"""What a check is: the scenario of one pathway, as a conversation that asks and is told."""

from __future__ import annotations

from collections.abc import Callable

from monitor.clips import Clip
from monitor.core.exchange import Conversation
from monitor.core.model import Target

# Target, clip, and the correlation id that the provider is told; nothing is sent until it is run.
Check = Callable[[Target, Clip, str], Conversation]
