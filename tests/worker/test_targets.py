"""The guard of the targets: what may be connected to, whatever a name or an address pretends to be."""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor_worker.checks.addresses import is_public, unwrap
from monitor_worker.checks.targets import Resolved, TargetDenied, TargetGuard, TargetUnresolved
from support.hostile import EVERYTHING, NAME, NEVER, NOT_PUBLIC, SPELLINGS, resolving

PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10"]
PUBLIC = ["8.8.8.8", "20.50.2.1", "2603:1030:20e:3::23c", "2001:4860:4860::8888"]
WRAPPED = ["::ffff:{}", "64:ff9b::{}", "::{}", "::ffff:0:{}"]


def in_networks(networks: Sequence[str]) -> st.SearchStrategy[IPv4Address]:
    return st.one_of([st.ip_addresses(network=network).map(int) for network in networks]).map(IPv4Address)


def wrapped(address: IPv4Address) -> list[str]:
    return [*(form.format(address) for form in WRAPPED), str(IPv6Address((0x2002 << 112) | (int(address) << 80)))]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_permitted(address: str) -> None:
    assert TargetGuard().permits(address, 443)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_what_is_not_public_is_denied(address: str) -> None:
    guard = TargetGuard()

    assert not guard.permits(address, 80)
    assert not guard.permits(address, 80, "innocent.example")
    with pytest.raises(TargetDenied):
        guard.require(address, 80)


def test_what_is_no_address_is_denied() -> None:
    assert not TargetGuard(["localhost:80"]).permits("localhost", 80)


@given(in_networks(PRIVATE))
def test_no_wrapping_makes_a_private_address_public(address: IPv4Address) -> None:
    guard = TargetGuard()

    assert not guard.permits(str(address), 80)
    assert [form for form in wrapped(address) if guard.permits(form, 80)] == []


@given(in_networks(PRIVATE))
def test_an_entry_for_the_address_inside_permits_every_wrapping_of_it_on_its_port(address: IPv4Address) -> None:
    guard = TargetGuard([f"{address}:80"])
    never = str(address) == "169.254.169.254"
    assert [form for form in wrapped(address) if guard.permits(form, 80) == never] == []
    assert [form for form in wrapped(address) if guard.permits(form, 81)] == []


@given(
    st.one_of(
        st.ip_addresses(v=6), st.ip_addresses(v=6, network="::/32"), st.ip_addresses(v=6, network="2001::/16")
    )
)
def test_an_ipv6_address_is_permitted_only_if_what_it_reaches_is_public(address: IPv6Address) -> None:
    if TargetGuard().permits(str(address), 80):
        reached = unwrap(address)
        assert reached.is_global
        assert True not in {reached.is_multicast, reached.is_reserved, reached.is_private}
        assert is_public(reached)


@pytest.mark.parametrize(
    ("entry", "address", "port", "host", "permitted"),
    [
        ("10.1.0.0/16:8080", "10.1.2.3", 8080, None, True),
        ("10.1.0.0/16:8080", "10.1.2.3", 8081, None, False),
        ("10.1.0.0/16:8080", "10.2.0.1", 8080, None, False),
        ("10.1.0.0/16:8080", "10.1.2.3", 8080, "whatever.example", True),
        ("127.0.0.1:9000", "127.0.0.1", 9000, None, True),
        ("127.0.0.1:*", "127.0.0.1", 1, None, True),
        ("127.0.0.1:*", "127.0.0.2", 1, None, False),
        ("[::1]:80", "::1", 80, None, True),
        ("[fd00::/8]:443", "fd12::1", 443, None, True),
        ("job-simulator:8000", "172.18.0.3", 8000, "job-simulator", True),
        ("job-simulator:8000", "172.18.0.3", 8000, "Job-Simulator.", True),
        ("Job_Simulator.:8000", "172.18.0.3", 8000, "job_simulator", True),
        ("job-simulator:8000", "172.18.0.3", 8001, "job-simulator", False),
        ("job-simulator:8000", "172.18.0.3", 8000, "other", False),
        ("job-simulator:8000", "172.18.0.3", 8000, None, False),
        ("bücher.example:80", "10.0.0.1", 80, "xn--bcher-kva.example", True),
        ("xn--bcher-kva.example:80", "10.0.0.1", 80, "BÜCHER.example", True),
        ("example:80", "10.0.0.1", 80, "sub.example", False),
        (" 10.0.0.1:80 ", "10.0.0.1", 80, None, True),
    ],
)
def test_an_entry_permits_its_place_and_port_only(
    entry: str, address: str, port: int, host: str | None, permitted: bool
) -> None:
    assert TargetGuard([entry]).permits(address, port, host) is permitted


@pytest.mark.parametrize(
    "entry",
    [
        *(
            "10.0.0.1",
            "job-simulator",
            "::1:80",
            "fd00::/8:443",
            "10.0.0.1:",
            ":80",
            "10.0.0.1:0",
            "10.0.0.1:65536",
        ),
        *(
            "10.0.0.1:http",
            "10.0.0.1:-1",
            "10.1.2.3/16:80",
            "10.0.0.0/33:80",
            "http://10.0.0.1:80",
            "*:80",
            "",
            "a b:80",
        ),
        *("*.example.com:443", "2130706433:80", "0x7f000001:80", "0177.0.0.1:80", "127.1:80", "256.0.0.1:80"),
        *(
            "[::ffff:10.0.0.1]:80",
            "[64:ff9b::/96]:80",
            "[2002::/16]:80",
            "[job-simulator]:80",
            "a..b:80",
            "x@y:80",
        ),
        *("10.0.0.1:8O", "10.0.0.1:٨٠"),
    ],
)
def test_a_bad_entry_is_refused_with_its_name_and_the_right_form(entry: str) -> None:
    with pytest.raises(ValueError, match=r"write host:port, 10\.1\.0\.0/16:8080 or \[fd00::/8\]:443") as refused:
        TargetGuard([entry])
    assert repr(entry) in str(refused.value)


@pytest.mark.parametrize("address", NEVER)
def test_some_are_denied_whatever_is_allowed(address: str) -> None:
    guard = TargetGuard(EVERYTHING)

    assert not guard.permits(address, 80, NAME)
    with pytest.raises(TargetDenied, match="can never be a target"):
        guard.require(address, 80)


@pytest.mark.parametrize(
    ("denied", "address", "port", "host", "permitted"),
    [
        ("10.0.0.9", "10.0.0.9", 80, None, False),
        ("10.0.0.9", "::ffff:10.0.0.9", 80, None, False),
        ("10.0.0.9", "10.0.0.8", 80, None, True),
        ("10.0.0.9:2377", "10.0.0.9", 2377, None, False),
        ("10.0.0.9:2377", "10.0.0.9", 80, None, True),
        ("fd00::9", "fd00::9", 80, None, False),
        ("[fd00::9]:80", "fd00::9", 80, None, False),
        ("[fd00::9]", "fd00::9", 80, None, False),
        ("identity.example", "10.0.0.1", 80, "IDENTITY.example.", False),
        # What Azure Container Apps set: by any other name it is the same.
        ("localhost:42356", "127.0.0.1", 42356, "localhost", False),
        ("localhost:42356", "127.0.0.1", 42356, None, False),
        ("localhost:42356", "127.8.8.8", 42356, "innocent.example", False),
        ("localhost:42356", "::1", 42356, None, False),
        ("localhost:42356", "::ffff:127.0.0.1", 42356, None, False),
        ("localhost:42356", "127.0.0.1", 8000, None, True),
        ("127.0.0.1:41741", "::1", 41741, None, False),
        ("localhost", "127.0.0.1", 8000, None, False),
    ],
)
def test_the_host_that_hands_out_tokens_is_denied_whatever_is_allowed(
    denied: str, address: str, port: int, host: str | None, permitted: bool
) -> None:
    guard = TargetGuard(["0.0.0.0/0:*", "[::/0]:*", "localhost:*", "identity.example:*"], deny_hosts=[denied])

    assert guard.permits(address, port, host) is permitted


@pytest.mark.parametrize(
    ("address", "port", "host", "shown", "entry"),
    [
        ("10.0.0.5", 8080, None, "10.0.0.5:8080", "10.0.0.5:8080"),
        ("10.0.0.5", 8080, "10.0.0.5", "10.0.0.5:8080", "10.0.0.5:8080"),
        ("172.18.0.3", 8000, "job-simulator", "job-simulator (172.18.0.3:8000)", "job-simulator:8000"),
        ("::1", 80, None, "[::1]:80", "[::1]:80"),
        ("::ffff:10.0.0.5", 80, None, "[::ffff:10.0.0.5]:80", "10.0.0.5:80"),
    ],
)
def test_the_message_names_the_target_and_the_entry_that_allows_it(
    address: str, port: int, host: str | None, shown: str, entry: str
) -> None:
    with pytest.raises(TargetDenied) as denied:
        TargetGuard().require(address, port, host)

    assert str(denied.value) == (
        f"{shown} is not a public address; to allow it add {entry} to MONITOR_ALLOWED_TARGETS of the worker"
    )
    assert TargetGuard([entry]).permits(address, port, host)


async def test_only_the_permitted_addresses_of_a_host_come_back() -> None:
    guard = TargetGuard(["10.0.0.1:80"], resolve=resolving("10.0.0.2", "8.8.8.8", "10.0.0.1", "8.8.8.8", "::1"))

    assert await guard.addresses("mixed.example", 80) == [
        (socket.AF_INET, "8.8.8.8"),
        (socket.AF_INET, "10.0.0.1"),
    ]


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe"])
async def test_a_name_that_resolves_to_what_is_not_public_is_denied(address: str) -> None:
    with pytest.raises(TargetDenied, match=r"rebound\.example \("):
        await TargetGuard(resolve=resolving(address)).addresses("rebound.example", 80)


@pytest.mark.parametrize("host", [*SPELLINGS, "127.0.0.1"])
async def test_every_spelling_of_the_loopback_is_denied_by_the_machine_s_own_resolver(host: str) -> None:
    with pytest.raises(TargetDenied, match=r"not a public address|can never be a target"):
        await TargetGuard().addresses(host, 80)


@pytest.mark.parametrize(("host", "family"), [("8.8.8.8", socket.AF_INET), ("2603::1", socket.AF_INET6)])
async def test_an_address_is_not_looked_up(host: str, family: socket.AddressFamily) -> None:
    async def resolve(host: str, port: int) -> Resolved:
        raise AssertionError(host)

    guard = TargetGuard(resolve=resolve)

    assert await guard.addresses(host, 443) == [(family, host)]
    with pytest.raises(TargetDenied):
        await guard.addresses("[::1]", 443)


async def test_a_host_without_an_address_is_unresolved() -> None:
    async def unknown(host: str, port: int) -> Resolved:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(TargetUnresolved, match=r"no\.example cannot be resolved: Name or service not known"):
        await TargetGuard(resolve=unknown).addresses("no.example", 80)
    with pytest.raises(TargetUnresolved, match="no address"):
        await TargetGuard(resolve=resolving()).addresses("no.example", 80)


@pytest.mark.parametrize("host", ["a" * 70, "a..b", "", "a\0b", "\ud800"])
async def test_what_cannot_be_a_name_is_unresolved(host: str) -> None:
    with pytest.raises((TargetUnresolved, TargetDenied)):
        await TargetGuard().addresses(host, 80)
