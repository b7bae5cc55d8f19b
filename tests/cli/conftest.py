from __future__ import annotations

from tests.support.commands import configure, home, run, sandbox, shared_sandbox, spawn

__all__ = ["configure", "home", "run", "sandbox", "shared_sandbox", "spawn"]
