"""Certificates for the tests' mail and web servers: a good one, and one for every way to be bad."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True)
class Certificate:
    """A server's certificate chain and private key, as PEM files."""

    chain: Path
    key: Path


@dataclass(frozen=True)
class Certificates:
    """`ca` (PEM file) vouches for `server`, `wrong_host` and `expired`, and not for `self_signed`."""

    ca: Path
    server: Certificate
    wrong_host: Certificate
    expired: Certificate
    self_signed: Certificate


@contextmanager
def certificates() -> Iterator[Certificates]:
    """Make a new authority and its certificates, as files that last as long as the block."""
    with tempfile.TemporaryDirectory(prefix="certificates-") as name:
        folder, authority = Path(name), trustme.CA()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        here = ("localhost", "127.0.0.1")
        yesterday = datetime.now(UTC) - timedelta(days=1)
        yield Certificates(
            ca=folder / "ca.pem",
            server=_issued(folder, "server", authority.issue_cert(*here)),
            wrong_host=_issued(folder, "wrong-host", authority.issue_cert("elsewhere.example")),
            expired=_issued(folder, "expired", authority.issue_cert(*here, not_after=yesterday)),
            self_signed=_self_signed(folder, "self-signed", "localhost"),
        )


def _issued(folder: Path, name: str, leaf: trustme.LeafCert) -> Certificate:
    certificate = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    leaf.private_key_pem.write_to_path(certificate.key)
    for pem in leaf.cert_chain_pems:
        pem.write_to_path(certificate.chain, append=True)
    return certificate


def _self_signed(folder: Path, name: str, host: str) -> Certificate:
    key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    signed = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    certificate.chain.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    certificate.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate
