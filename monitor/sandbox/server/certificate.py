"""A certificate made at start, with which the sandbox answers over TLS; needs the library cryptography."""

from __future__ import annotations

import contextlib
import ssl
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

LOCAL = ("localhost", "127.0.0.1", "::1")
VALID = timedelta(days=30)


class Certificate(NamedTuple):
    """A private key and its self-signed certificate, both PEM."""

    key: bytes
    certificate: bytes


class Served(NamedTuple):
    """What a server with a new certificate needs, and the file that its clients trust."""

    context: ssl.SSLContext
    path: Path


def make_certificate(hosts: Sequence[str], now: datetime) -> Certificate:
    """Make a key and a certificate for these names and addresses, valid for thirty days from *now*."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Earwitness sandbox")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))  # a client's clock may be a little behind
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Certificate(secret, certificate.public_bytes(Encoding.PEM))


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


@contextlib.contextmanager
def serving_certificate(host: str, now: datetime) -> Iterator[Served]:
    """Give the context of a server at *host*; the certificate's file is there while the block lasts.

    The key is in a file only while it is loaded.
    """
    made = make_certificate(list(dict.fromkeys((*LOCAL, host))), now)
    with tempfile.TemporaryDirectory(prefix="earwitness-sandbox-") as folder:
        path, key = Path(folder) / "certificate.pem", Path(folder) / "key.pem"
        path.write_bytes(made.certificate)
        key.touch(mode=0o600)
        key.write_bytes(made.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path, key)
        key.unlink()
        yield Served(context, path)
