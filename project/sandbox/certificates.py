"""Which certificates the sandbox's TLS servers show; made anew at each start."""

import ssl
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

VALID_FROM = datetime(2020, 1, 1, tzinfo=UTC)
VALID_FOR = timedelta(days=365 * 30)

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class _Issued:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key

    def pem(self) -> bytes:
        """Return both in one text, as ``load_cert_chain`` takes them."""
        key = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return key + self.certificate.public_bytes(serialization.Encoding.PEM)


class TestAuthority:
    """A certificate authority that only the clients it is handed to trust.

    Attributes:
        server: context of an honest server.
        server_pem: its key and certificate, for a server in a process of its own.
        forged: context of one who intercepts: the right names, signed by himself.
    """

    __test__ = False

    def __init__(self, names: Iterable[str]) -> None:
        asked = tuple(names)
        root = _issued("Millrace Sandbox CA", names=(), issuer=None)
        self._root_pem = root.certificate.public_bytes(serialization.Encoding.PEM)
        honest = _issued("sandbox", names=asked, issuer=root)
        self.server_pem = honest.pem()
        self.server = _context(honest)
        self.forged = _context(_issued("intercepted", names=asked, issuer=None))
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def ca_bundle(self) -> Path:
        """File with the authority's own certificate, between ``open`` and ``close``."""
        if self._folder is None:
            raise RuntimeError("the authority is not open")
        return Path(self._folder.name) / "ca.pem"

    def open(self) -> None:
        """Write the bundle that clients are handed."""
        self._folder = tempfile.TemporaryDirectory(prefix="millrace-sandbox-")
        self.ca_bundle.write_bytes(self._root_pem)

    def close(self) -> None:
        """Remove the bundle."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def _context(issued: _Issued) -> ssl.SSLContext:
    """Return a server's context; OpenSSL takes certificates from files alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(prefix="millrace-sandbox-", suffix=".pem") as file:
        file.write(issued.pem())
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _issued(name: str, *, names: tuple[str, ...], issuer: _Issued | None) -> _Issued:
    """Return a certificate for ``names``, signed by ``issuer`` or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(VALID_FROM)
        .not_valid_after(VALID_FROM + VALID_FOR)
        .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
    )
    if names:
        alternatives = x509.SubjectAlternativeName([_alternative(each) for each in names])
        builder = builder.add_extension(alternatives, critical=False)
    return _Issued(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
