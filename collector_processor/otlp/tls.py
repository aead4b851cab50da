"""TLS of the OTLP ports: one certificate for both, clients' certificates asked for where an authority is named, and
files that may be replaced while the service runs (certificates of today live for days).

Handshakes that begin after a change use the new files; connections that exist keep what they agreed on.
"""

from __future__ import annotations

import logging
import os
import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc

log = logging.getLogger(__name__)


class TlsUnusable(OSError):
    """A file of the TLS settings cannot be used; the text names it and says why."""


@dataclass(frozen=True)
class TlsFiles:
    """PEM files. ``client_ca``: who signs the clients' certificates; None when they need none."""

    certificate: Path
    key: Path
    client_ca: Path | None = None

    def stamp(self) -> tuple[tuple[int, int], ...]:
        """Changes when a file does."""
        found = []
        for path in self._paths():
            try:
                status = os.stat(path)
                found.append((status.st_mtime_ns, status.st_ino))
            except OSError:
                found.append((0, 0))
        return tuple(found)

    def context(self) -> ssl.SSLContext:
        """For a server on asyncio. Raises ``TlsUnusable``."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.load_into(context)
        return context

    def load_into(self, context: ssl.SSLContext) -> None:
        """Use the files as they are now. Raises ``TlsUnusable``."""
        try:
            context.load_cert_chain(self.certificate, self.key)
            if self.client_ca is not None:
                context.load_verify_locations(self.client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
        except (OSError, ssl.SSLError) as error:
            names = ", ".join(str(path) for path in self._paths())
            raise TlsUnusable(f"otlp.tls: {names}: {error.strerror or error}") from None

    def grpc_configuration(self) -> grpc.ServerCertificateConfiguration:
        """The same for grpcio. Raises ``TlsUnusable``."""
        self.context()  # grpcio would say nothing of what is wrong with them
        try:
            pair = (self.key.read_bytes(), self.certificate.read_bytes())
            roots = self.client_ca.read_bytes() if self.client_ca is not None else None
        except OSError as error:
            raise TlsUnusable(f"otlp.tls: {error.filename}: {error.strerror or error}") from None
        return grpc.ssl_server_certificate_configuration([pair], roots)

    def grpc_credentials(self) -> grpc.ServerCredentials:
        """That look at the files again at each handshake. Raises ``TlsUnusable``."""
        current = self.stamp()

        def fetch() -> grpc.ServerCertificateConfiguration | None:
            nonlocal current
            now = self.stamp()
            if now == current:
                return None  # what it has
            try:
                configuration = self.grpc_configuration()
            except TlsUnusable as error:
                log.error("the certificates of before stay in use: %s", error)
                return None
            current = now
            return configuration

        return grpc.dynamic_ssl_server_credentials(
            self.grpc_configuration(), fetch, require_client_authentication=self.client_ca is not None
        )

    def _paths(self) -> list[Path]:
        return [self.certificate, self.key, *([self.client_ca] if self.client_ca is not None else [])]
