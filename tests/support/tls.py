"""Certificates for the servers of tests, and clients that trust them (trustme)."""

import ssl
from datetime import datetime
from functools import cache
from pathlib import Path

import trustme


@cache
def _authority() -> trustme.CA:
    return trustme.CA()


def server_context(*names: str, until: datetime | None = None) -> ssl.SSLContext:
    """A server's side, with a certificate for these names or addresses, good until then (UTC)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certify(context, *names, until=until)
    return context


def certify(server: ssl.SSLContext, *names: str, until: datetime | None = None) -> None:
    """Give a server's side a certificate, perhaps instead of the one it has: new connections show it."""
    _authority().issue_cert(*names or ("localhost", "127.0.0.1"), not_after=until).configure_cert(server)


def client_context() -> ssl.SSLContext:
    """A client's side that trusts those certificates and no others."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _authority().configure_trust(context)
    return context


def files(folder: Path, *names: str) -> tuple[Path, Path, Path]:
    """The authority's certificate, a server's chain and its key, as files: for servers that are processes."""
    certificate = _authority().issue_cert(*names or ("localhost", "127.0.0.1"))
    paths = (folder / "ca.pem", folder / "server.pem", folder / "server.key")
    _authority().cert_pem.write_to_path(str(paths[0]))
    for index, blob in enumerate(certificate.cert_chain_pems):
        blob.write_to_path(str(paths[1]), append=index > 0)
    certificate.private_key_pem.write_to_path(str(paths[2]))
    return paths
