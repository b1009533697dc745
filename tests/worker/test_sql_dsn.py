"""Connection strings: what they may say, what of it is told to libpq, and that nothing else is."""

from pathlib import Path

import pytest
from psycopg import pq

from monitor_core.contract import ErrorClass
from monitor_worker.checks.failed import CheckFailed
from monitor_worker.checks.sql_dsn import Dsn, authorities_file

REFERENCE = "env:MONITOR_SECRET_DB"
PUBLIC, PRIVATE = "8.8.8.8", "10.0.0.4"
ROOTS = "/etc/roots.pem"


def parsed(text: str) -> Dsn:
    return Dsn.parse(REFERENCE, text)


def refused(text: str) -> str:
    with pytest.raises(CheckFailed) as caught:
        parsed(text)
    assert caught.value.error_class is ErrorClass.MISCONFIGURED
    assert "hunter" not in str(caught.value)
    assert str(caught.value).startswith(REFERENCE)
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://me:hunter22@DB.example.:5433/orders",
        "postgres://me:hunter%32%32@DB.example:5433/orders",
        "host=DB.example port=5433 user=me password=hunter22 dbname=orders",
    ],
)
def test_a_uri_and_words_say_the_same(text: str) -> None:
    dsn = parsed(text)
    assert str(dsn.origin) == "postgresql://db.example:5433"
    assert dsn.target == "DB.example:5433"
    told = dsn.parameters(PUBLIC, None, ROOTS)
    expected = {
        "host": "DB.example",
        "hostaddr": PUBLIC,
        "port": "5433",
        "user": "me",
        "password": "hunter22",
        "dbname": "orders",
        "sslmode": "verify-full",
        "sslrootcert": ROOTS,
        "application_name": "durable-monitor",
    }
    assert {name: told[name] for name in expected} == expected


def test_an_ipv6_address_is_a_host() -> None:
    dsn = parsed("postgresql://me@[2001:db8::1]/orders")
    assert (dsn.host, dsn.port, str(dsn.origin)) == ("2001:db8::1", 5432, "postgresql://[2001:db8::1]")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "names no user"),
        ("host=db", "names no user"),
        ("user=me", "names no host"),
        ("postgresql://me@/orders", "names no host"),
        ("postgresql://me@a.example,b.example/orders", "names no host that is one"),
        ("host=a.example,b.example user=me", "names no host that is one"),
        ("host=/var/run/postgresql user=me", "names no host that is one"),
        ("host=. user=me", "names no host that is one"),
        ("host=@abstract user=me", "names no host that is one"),
        ("postgresql://me@%2Fvar%2Frun/orders", "names no host that is one"),
        ("host='me:x@a.example' user=me", "names no host that is one"),
        ("host=a.example port=1,2 user=me", "a port that is none"),
        ("host=a.example port=65536 user=me", "a port that is none"),
        ("host=a.example port=-1 user=me", "a port that is none"),
        ("host=a.example user=me sslmode=no", "unknown sslmode"),
        ("postgresql://me:hunter22@a.example:port", "a port that is none"),
        ("hunter22", "no connection string"),
        ("host=a.example hunter=hunter", "no connection string"),
        ("postgresql://me:hunter22@[::1/x", "no connection string"),
        ("host=a.example user=me password='hunter22", "no connection string"),
    ],
)
def test_what_is_none_is_refused_without_repeating_it(text: str, why: str) -> None:
    assert why in refused(text)


TAKEN = {"host", "port", "dbname", "user", "password", "sslmode", "sslrootcert", "channel_binding"} | {
    "application_name"
}


@pytest.mark.parametrize(
    "keyword",
    sorted({option.keyword.decode() for option in pq.Conninfo.get_defaults()} - TAKEN),
)
def test_every_other_keyword_of_libpq_is_refused_by_name(keyword: str) -> None:
    why = refused(f"host=a.example user=me {keyword}=hunter22")
    assert f"says {keyword}: it may say host, port" in why


def test_what_it_looks_like_in_a_traceback_shows_no_password() -> None:
    assert "hunter" not in repr(parsed("host=a user=me password=hunter22"))


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require", "verify-ca"])
def test_a_server_on_the_internet_has_to_prove_who_it_is(mode: str) -> None:
    dsn = parsed(f"host=a.example user=me password=hunter22 sslmode={mode}")
    for address in (PUBLIC, "2606:4700::1111", "64:ff9b::8.8.8.8"):
        with pytest.raises(CheckFailed, match="public address: write verify-full") as caught:
            dsn.parameters(address, None, ROOTS)
        assert caught.value.error_class is ErrorClass.MISCONFIGURED
    assert dsn.parameters(PRIVATE, None, ROOTS)["sslmode"] == mode


def test_it_may_name_the_application_and_bind_the_channel() -> None:
    told = parsed("host=a user=me application_name=orders channel_binding=require").parameters(PUBLIC, None, ROOTS)
    assert (told["application_name"], told["channel_binding"]) == ("orders", "require")


def test_certificates_are_verified_unless_it_says_otherwise() -> None:
    assert parsed("host=a user=me").parameters(PRIVATE, None, ROOTS)["sslmode"] == "verify-full"


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require"])
def test_no_authorities_are_asked_where_nothing_is_to_be_verified(mode: str) -> None:
    told = parsed(f"host=a user=me sslmode={mode}").parameters(PRIVATE, None, ROOTS)
    assert not Path(told["sslrootcert"]).exists()


@pytest.mark.parametrize(("said", "told"), [("system", ROOTS), ("/etc/own.pem", "/etc/own.pem")])
def test_the_machine_s_authorities_are_trusted_unless_it_names_a_file(said: str, told: str) -> None:
    assert parsed(f"host=a user=me sslrootcert={said}").parameters(PUBLIC, None, ROOTS)["sslrootcert"] == told


def test_the_machine_s_authorities_are_where_openssl_s_setting_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = tmp_path / "roots.pem"
    roots.touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    assert authorities_file() == str(roots)


def test_nothing_is_left_to_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    dsn = parsed("host=a.example user=me")
    before = dsn.parameters(PUBLIC, None, ROOTS)
    for option in pq.Conninfo.get_defaults():
        if option.envvar and option.keyword != b"service":
            assert option.keyword.decode() in before
            monkeypatch.setenv(option.envvar.decode(), "evil")
    assert dsn.parameters(PUBLIC, None, ROOTS) == before
    assert "evil" not in before.values()


def test_a_service_of_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSERVICE", "evil")
    with pytest.raises(CheckFailed, match="PGSERVICE") as caught:
        parsed("host=a.example user=me").parameters(PUBLIC, None, ROOTS)
    assert caught.value.error_class is ErrorClass.MISCONFIGURED
