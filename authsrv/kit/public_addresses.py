"""Which addresses are out there for everybody, and which only look so (RFC 6890 and IANA's registries)."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

# A host name and a port to the addresses the host has, as text. Raises OSError.
Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]

_LOOPBACK_IPV4 = IPv4Network("127.0.0.0/8")
_LOOPBACK_IPV6 = IPv6Address("::1")
_INNER_IPV4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, and one cloud's metadata
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's platform address, public by its number only
        "169.254.0.0/16",  # link-local, and most clouds' metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
)
# Hosts out there have addresses of this block alone; IPv4-mapped, NAT64, local and multicast ones lie outside it.
_OUTER_IPV6 = IPv6Network("2000::/3")
_INNER_IPV6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # Teredo and other protocols' own
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "3fff::/20",
    )
)
_THREADS = 16


class AddressRefused(Exception):
    """At least one address is an inner one, or none is an address at all."""


def judge_addresses(addresses: Sequence[str], *, allow_loopback: bool) -> list[str]:
    """The addresses, each once, if every one of them may be called. Raises AddressRefused."""
    for text in addresses:
        try:
            address = ip_address(text)
        except ValueError:
            raise AddressRefused from None
        if not (is_public(address) or (allow_loopback and _is_loopback(address))):
            raise AddressRefused
    return list(dict.fromkeys(addresses))


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether the address belongs to a host on the internet, and to no special purpose."""
    if isinstance(address, IPv4Address):
        return not any(address in block for block in _INNER_IPV4)
    return address in _OUTER_IPV6 and address.scope_id is None and not any(address in block for block in _INNER_IPV6)


def _is_loopback(address: IPv4Address | IPv6Address) -> bool:
    return address in _LOOPBACK_IPV4 if isinstance(address, IPv4Address) else address == _LOOPBACK_IPV6


class SystemNames:
    """Looks names up as the system does, in threads of its own; a name whose server hangs holds up one of them."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="names")
        self._under_way: dict[str, asyncio.Future[list[str]]] = {}

    async def __call__(self, host: str, port: int) -> list[str]:
        """All addresses of the host, best first. Raises OSError when it has none."""
        look_up = self._under_way.get(host)
        if look_up is None:
            look_up = asyncio.get_running_loop().run_in_executor(self._threads, _look_up, host, port)
            self._under_way[host] = look_up
            look_up.add_done_callback(lambda done: self._finish(host, done))
        # Shielded: who gives up must not take it from the others.
        return await asyncio.shield(look_up)

    def _finish(self, host: str, done: "asyncio.Future[list[str]]") -> None:
        del self._under_way[host]
        if not done.cancelled():
            done.exception()  # seen, even if everybody has given up by now


def _look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]
