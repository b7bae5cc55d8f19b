"""Where the page listens: an address that can be had, or one sentence with the remedy."""

from __future__ import annotations

import socket

import pytest

from monitor.core.errors import MonitorError
from monitor.service.page_process import listen


def test_a_free_address_is_bound() -> None:
    """Loopback of either family."""
    with listen("127.0.0.1", 0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_a_taken_address_names_the_remedy() -> None:
    """And leaves no socket behind."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(MonitorError, match=rf"127.0.0.1:{port} is in use: .* \[web\] listen"):
            listen("127.0.0.1", port)


def test_an_address_that_is_not_ours_is_said() -> None:
    """The system's reason is quoted."""
    with pytest.raises(MonitorError, match=r"192\.0\.2\.1:0 cannot assign requested address: "):
        listen("192.0.2.1", 0)
