"""From which address a request comes, when what stands before us can be trusted and when it cannot."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network

import httpx
import pytest
from hypothesis import given, strategies as st

from app.web.addresses import caller_address, subscriber
from tests.conftest import running_server

PROXIES = [ip_network(network) for network in ("10.0.0.0/8", "fd00::/8", "192.0.2.7/32")]


def address_of(peer: str | None, *forwarded_for: str, trusted: Sequence[str] | None = None) -> str:
    """The caller's address as text, `-` for none, with one X-Forwarded-For header for each of `forwarded_for`."""
    scope = {
        "type": "http",
        "client": None if peer is None else (peer, 50_000),
        "headers": [(b"x-forwarded-for", line.encode("latin-1")) for line in forwarded_for],
    }
    networks = PROXIES if trusted is None else [ip_network(network) for network in trusted]
    return str(caller_address(scope, networks) or "-")


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        # A peer that is no proxy of ours may write what it likes.
        ("198.51.100.1", ["203.0.113.9"], "198.51.100.1"),
        ("198.51.100.1", [], "198.51.100.1"),
        ("2001:db8::1", ["203.0.113.9"], "2001:db8::1"),
        # A proxy of ours adds whom it heard from on the right; further left anybody wrote.
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
        ("fd00::1", ["203.0.113.9,198.51.100.1"], "198.51.100.1"),
        ("192.0.2.7", ["203.0.113.9"], "203.0.113.9"),
        ("192.0.2.8", ["203.0.113.9"], "192.0.2.8"),
        # Several proxies of ours, and several lines, which read as one.
        ("10.0.0.1", ["203.0.113.9, 198.51.100.1, 10.9.9.9, fd00::2"], "198.51.100.1"),
        ("10.0.0.1", ["203.0.113.9", "198.51.100.1", "10.9.9.9"], "198.51.100.1"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.1", "10.9.9.9"], "198.51.100.1"),
        # None but proxies of ours: the furthest.
        ("10.0.0.1", ["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
        ("10.0.0.1", [], "10.0.0.1"),
        # What is no address: the proxy that let it pass stands for whoever is behind it.
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9, junk"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9,"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9, junk, 10.2.2.2"], "10.2.2.2"),
        ("10.0.0.1", ["junk, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["203.0.113.999"], "10.0.0.1"),
        ("10.0.0.1", ["ä\xff"], "10.0.0.1"),
        ("10.0.0.1", ["1:2:3"], "10.0.0.1"),
        # Ports and brackets, which some proxies write.
        ("10.0.0.1", ["203.0.113.9:51234"], "203.0.113.9"),
        ("10.0.0.1", ["[2001:db8::1]:51234"], "2001:db8::1"),
        ("10.0.0.1", ["[2001:db8::1]"], "2001:db8::1"),
        ("10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        # IPv4 written as IPv6, as a socket that hears both has it.
        ("::ffff:10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["203.0.113.9, ::ffff:10.2.2.2"], "203.0.113.9"),
        ("::ffff:198.51.100.1", ["203.0.113.9"], "198.51.100.1"),
        # No address at all, as on a Unix socket.
        (None, ["203.0.113.9"], "-"),
        ("", ["203.0.113.9"], "-"),
        ("testclient", ["203.0.113.9"], "-"),
    ],
)
def test_the_address_is_the_nearest_that_no_stranger_wrote(
    peer: str | None, forwarded_for: list[str], address: str
) -> None:
    assert address_of(peer, *forwarded_for) == address


def test_by_default_nobody_is_trusted() -> None:
    assert address_of("127.0.0.1", "203.0.113.9", trusted=[]) == "127.0.0.1"


@given(
    forged=st.lists(st.text(st.characters(codec="latin-1", exclude_characters="\r\n")), max_size=4),
    ours=st.lists(st.sampled_from(["10.0.0.1", "fd00::1", "192.0.2.7"]), max_size=3),
)
def test_whatever_a_stranger_writes_its_address_is_its_own(forged: list[str], ours: list[str]) -> None:
    forwarded_for = ", ".join([*forged, "198.51.100.1", *ours])

    assert address_of("10.0.0.9", forwarded_for) == "198.51.100.1"


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_of_ipv6_a_whole_subscriber_is_counted_as_one(address: str, counted: str) -> None:
    assert subscriber(ip_address(address)) == counted


def test_all_without_an_address_are_counted_as_one() -> None:
    assert subscriber(None) == ""


def refused(url: str, *forwarded_for: str) -> list[int]:
    """The status codes of requests with a wrong key, one from each address that X-Forwarded-For pretends."""
    wrong = {"Authorization": "Bearer wrong"}
    return [
        httpx.get(f"{url}/v1/key", headers={**wrong, "X-Forwarded-For": address}).status_code
        for address in forwarded_for
    ]


def test_a_server_believes_no_address_that_a_caller_forges(
    served_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What uvicorn itself would trust, if it were let.
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    monkeypatch.setenv("YHDESSA_FAILED_KEYS_PER_MINUTE", "2")

    with running_server(served_database_url) as url:
        forged = refused(url, "203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4")

    assert forged == [401, 401, 429, 429]


def test_a_server_behind_a_trusted_proxy_counts_whom_the_proxy_names(
    served_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YHDESSA_FAILED_KEYS_PER_MINUTE", "2")
    monkeypatch.setenv("YHDESSA_TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.0/8")

    with running_server(served_database_url) as url:
        different = refused(url, "203.0.113.1", "203.0.113.2", "203.0.113.3")
        alike = refused(
            url, "198.51.100.1", "junk, 198.51.100.1", "203.0.113.9, 198.51.100.1", "198.51.100.1, 10.1.1.1"
        )

    assert different == [401, 401, 401]
    assert alike == [401, 401, 429, 429]
