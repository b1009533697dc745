"""The machine's trusted certificates: found where OpenSSL finds them, whatever way they are installed."""

from pathlib import Path

import pytest

from monitor_worker.checks.trusted import certificates_in, trusted_certificates
from support.tls import files


def test_a_file_is_taken_as_it_is(tmp_path: Path) -> None:
    authority, _, _ = files(tmp_path)
    assert certificates_in(str(authority), None) == authority.read_bytes()


def test_of_a_folder_the_files_that_openssl_would_take_are_taken_once(tmp_path: Path) -> None:
    authority, other, _ = files(tmp_path)
    folder = tmp_path / "certs"
    folder.mkdir()
    (folder / "0123abcd.0").symlink_to(authority)
    (folder / "0123abcd.1").write_bytes(other.read_bytes())
    (folder / "readable-name.crt").write_bytes(b"no hash, not looked at")
    (folder / "ffffffff.0").symlink_to("nowhere")
    found = certificates_in(str(authority), str(folder))
    assert found == authority.read_bytes() + b"\n" + other.read_bytes()


def test_a_machine_without_any_has_none(tmp_path: Path) -> None:
    assert certificates_in(None, None) is None
    assert certificates_in(None, str(tmp_path)) is None


def test_the_machine_s_own_place_can_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, _, _ = files(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert trusted_certificates() == authority.read_bytes()
