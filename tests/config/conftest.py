from __future__ import annotations

from tests.support.configurations import azure, loaded, refused

__all__ = ["azure", "loaded", "refused"]
