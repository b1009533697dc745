"""Which addresses are public: pure rules, judged on the address that is really reached.

A name may resolve to anything, and an IPv6 address may stand for an IPv4 one, so the text of a URL says nothing.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

NEVER: Final[tuple[Network, ...]] = (
    IPv4Network("168.63.129.16/32"),  # Azure's wire server: certificates and settings of the machine
    IPv4Network("169.254.169.254/32"),  # instance metadata: tokens
    IPv6Network("fd00:ec2::254/128"),  # the same over IPv6
    IPv4Network("0.0.0.0/32"),  # connects to this machine
    IPv6Network("::/128"),
    IPv6Network("2001::/32"),  # Teredo: which address is reached is for a relay to say
    IPv6Network("64:ff9b:1::/48"),  # local NAT64: where in it the IPv4 address stands is not known here
)
"""What can never be a target. Judge unwrapped addresses by it."""

LOOPBACK: Final[tuple[Network, ...]] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))

_IPV4_IN_LAST_32_BITS: Final = (
    IPv6Network("::ffff:0:0/96"),  # IPv4-mapped
    IPv6Network("64:ff9b::/96"),  # NAT64
    IPv6Network("::/96"),  # IPv4-compatible, deprecated
    IPv6Network("::ffff:0:0:0/96"),  # IPv4-translated
)
# Not is_loopback and is_unspecified: whether those look inside a wrapped address depends on the Python version.
_WRAPPING_NOTHING: Final = frozenset({IPv6Address("::"), IPv6Address("::1")})
# What ipaddress calls global in some of the Python versions we support, or by its registry alone.
_NOT_PUBLIC: Final[tuple[Network, ...]] = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv6Network("2001::/23"),
    IPv6Network("3fff::/20"),
)
_PUBLIC_IPV6: Final = IPv6Network("2000::/3")


def parse_address(text: str) -> Address | None:
    """The address that a text is, its zone (`%eth0`) left out; None for anything else."""
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


def unwrap(address: Address) -> Address:
    """The IPv4 address inside an IPv4-mapped, NAT64 or 6to4 one; any other as it is."""
    if isinstance(address, IPv4Address) or address in _WRAPPING_NOTHING:
        return address
    if any(address in network for network in _IPV4_IN_LAST_32_BITS):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.sixtofour or address


def is_public(address: Address) -> bool:
    """Whether an unwrapped address is reachable from the whole Internet, and one of a single host there."""
    if isinstance(address, IPv6Address) and address not in _PUBLIC_IPV6:
        return False
    special = address.is_multicast or address.is_reserved or address.is_unspecified
    return address.is_global and not special and not any(address in network for network in _NOT_PUBLIC)


def parse_network(text: str) -> Network:
    """An address or a CIDR.

    Raises:
        ValueError: it is none, or one of wrapped IPv4 addresses.
    """
    network = ip_network(text)
    if unwrap(network.network_address) != network.network_address:
        raise ValueError("an IPv4 address wrapped in IPv6 is judged by the IPv4 address: name that")
    return network


def show(host: str, port: int) -> str:
    """`host:port`, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
