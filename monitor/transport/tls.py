"""Whom we believe: one SSL context for everything, because building one costs more than a run."""

from __future__ import annotations

import ssl
from pathlib import Path

import certifi

from monitor.core.errors import ConfigurationError


def trusted(ca_file: Path | None = None) -> ssl.SSLContext:
    """A verifying context over the system's certificates, *ca_file* added to them.

    Raises ConfigurationError where *ca_file* cannot be read or holds no certificate.
    """
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if not (paths.cafile or paths.capath):
        context.load_verify_locations(certifi.where())  # slim images bring no certificates of their own
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            reason = error.strerror or str(error)
            raise ConfigurationError(
                [f"network.ca_file: {ca_file}: {reason}; a PEM file is expected"]
            ) from error
    context.set_alpn_protocols(["http/1.1"])  # WebSocket over HTTP/2 is another protocol (RFC 8441)
    return context
