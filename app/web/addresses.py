"""From which address a request comes, also through proxies that the operator trusts."""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

from starlette.datastructures import Headers
from starlette.types import Scope

Address: TypeAlias = IPv4Address | IPv6Address
Networks: TypeAlias = Collection[IPv4Network | IPv6Network]

# What one household, office or machine is given of IPv6; it may use any address in it.
_IPV6_SUBSCRIBER = 64


def caller_address(scope: Scope, trusted: Networks) -> Address | None:
    """The address that the request of `scope` comes from; None if the peer has none, as on a Unix socket.

    That is the peer's address. If it is `trusted`, it is the right-most in X-Forwarded-For that is not trusted itself:
    each proxy adds on the right whom it heard from, and what stands further left anybody may have written. Where that
    is no address, the last trusted proxy stands for whoever is behind it.
    """
    host, _port = scope.get("client") or ("", 0)
    address = _address(host)
    hops = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",")
    while address and hops and _is_in(address, trusted):
        before = _address(_without_port(hops.pop().strip()))
        if before is None:
            break
        address = before
    return address


def subscriber(address: Address | None) -> str:
    """Who is counted as one: an IPv4 address, the /64 of an IPv6 address, or all who have none together."""
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), _IPV6_SUBSCRIBER), strict=False))
    return str(address or "")


def _address(text: str) -> Address | None:
    """The address that `text` is, IPv4 also where it is written as IPv6; None if it is none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


def _without_port(hop: str) -> str:
    """`hop` without the port and the brackets that some proxies write, as in 192.0.2.1:443 and [2001:db8::1]:443."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _is_in(address: Address, networks: Networks) -> bool:
    return any(address in network for network in networks)
