"""The machine's trusted certificates, for a library that brings its own: all kinds of check trust the same."""

import re
import ssl
from pathlib import Path

_USUAL_FILES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
_HASHED_NAME = re.compile(r"[0-9a-f]{8}\.[0-9]+")


def trusted_certificates() -> bytes | None:
    """What Python's ssl trusts by default, as PEM; None where the machine has nothing. It reads files.

    That is what OpenSSL does: SSL_CERT_FILE and SSL_CERT_DIR say where to look.
    """
    paths = ssl.get_default_verify_paths()
    return certificates_in(paths.cafile, paths.capath)


def trusted_file() -> str | None:
    """As `trusted_certificates`, for a library that takes a file's path alone; None where none is found."""
    files = (ssl.get_default_verify_paths().cafile, *_USUAL_FILES)
    return next((file for file in files if file and Path(file).is_file()), None)


def certificates_in(file: str | None, folder: str | None) -> bytes | None:
    """The certificates of a file, and of the files in a folder that are named by their hash, as OpenSSL asks."""
    files = [Path(file)] if file else []
    if folder:
        files += sorted(path for path in Path(folder).iterdir() if _HASHED_NAME.fullmatch(path.name))
    # The folder mostly has the same certificates as the file.
    return b"\n".join(dict.fromkeys(path.read_bytes() for path in files if path.is_file())) or None
