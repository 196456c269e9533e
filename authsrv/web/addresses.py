"""Who really calls, through however many trusted proxies (RFC 7239's problem, with the headers proxies really send)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.types import Scope

Networks = Sequence[IPv4Network | IPv6Network]


@dataclass(frozen=True, slots=True)
class Caller:
    """`address` is the nearest one no trusted proxy vouches for; `came_through_proxy` when one was trusted."""

    address: str
    is_secure: bool
    is_loopback: bool
    came_through_proxy: bool


def caller_of(scope: Scope, proxies: Networks) -> Caller:
    """The caller as the socket tells, or as trusted proxies tell."""
    # A Unix socket or a test client names no address: only this machine can be there.
    client = scope.get("client")
    peer = client[0] if client else "127.0.0.1"
    if not proxies or not _is_trusted(peer, proxies):
        return _direct(peer, scope["scheme"])
    forwarded = [_bare(hop.strip()) for hop in _list_of(scope, b"x-forwarded-for") if hop.strip()]
    # From the right: each proxy adds whom it saw; what stands left of the first stranger is the stranger's own claim.
    address = next((hop for hop in reversed(forwarded) if not _is_trusted(hop, proxies)), peer)
    scheme = _list_of(scope, b"x-forwarded-proto")[-1].strip().lower() or scope["scheme"]
    return Caller(address, scheme == "https", _is_loopback(address), came_through_proxy=True)


def host_of(headers: dict[bytes, bytes], caller: Caller) -> str:
    """The host the caller asked for, lower case, without its port."""
    host = headers.get(b"host", b"")
    if caller.came_through_proxy:
        # Of several, the nearest proxy's, as with the scheme; that one is trusted.
        host = headers.get(b"x-forwarded-host", host).rpartition(b",")[2].strip()
    return _bare_name(host)


def _list_of(scope: Scope, name: bytes) -> list[str]:
    """The members of a header, which may come in one line or in several (RFC 9110, 5.3); an empty one if it is none."""
    return b",".join(value for each, value in scope["headers"] if each == name).decode("latin-1").split(",")


@lru_cache(maxsize=1024)
def _bare_name(host: bytes) -> str:
    name = host.decode("latin-1").lower()
    bare = name if name.endswith("]") else name.rpartition(":")[0] or name
    # RFC 1034, 3.1: the dot at the end only says that the name is whole.
    return bare.removesuffix(".")


def _bare(hop: str) -> str:
    """The address of a hop: some proxies add the port, and brackets around an IPv6 address with it."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _is_trusted(address: str, proxies: Networks) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    # A socket that listens on `::` tells of IPv4 peers as ::ffff:10.0.0.1.
    mapped = getattr(parsed, "ipv4_mapped", None)
    return any((mapped or parsed) in network for network in proxies)


@lru_cache(maxsize=1024)
def _direct(peer: str, scheme: str) -> Caller:
    return Caller(peer, scheme == "https", _is_loopback(peer), came_through_proxy=False)


@lru_cache(maxsize=1024)
def _is_loopback(address: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback
