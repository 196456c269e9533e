import asyncio
import gzip
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from authsrv.kit.outbound import (
    LONGEST_ANSWER,
    HostRefused,
    Outbound,
    OutboundError,
    TooSlow,
    Unreachable,
    UnusableAnswer,
    UrlRefused,
)
from tests.support.ports import free_port
from tests.support.receiver import Answer, Received, Receiver

INNER = [
    pytest.param(address, id=address)
    for address in (
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1%eth0",
        "fec0::1",
        "ff02::1",
        "5f00::1",
        "not an address",
    )
]


def naming(*addresses: str) -> Callable[[str, int], Any]:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


@asynccontextmanager
async def outbound(**values: Any) -> AsyncIterator[Outbound]:
    client = Outbound(**{"allow_loopback": True, "seconds": 1.0, **values})
    try:
        yield client
    finally:
        await client.close()


async def refusal_of(url: str, **values: Any) -> OutboundError:
    async with outbound(**values) as client:
        with pytest.raises(OutboundError) as caught:
            await client.fetch_json(url)
    return caught.value


@pytest.mark.parametrize("address", INNER)
async def test_a_name_at_an_inner_address_is_never_called(address: str) -> None:
    refused = await refusal_of("https://app.example/jwks", allow_loopback=False, resolve=naming(address))
    assert isinstance(refused, HostRefused)


@pytest.mark.parametrize("address", ["169.254.169.254", "10.0.0.1", "::ffff:127.0.0.1", "fd00:ec2::254", "0.0.0.0"])
async def test_allowing_loopback_allows_nothing_else(address: str) -> None:
    assert isinstance(await refusal_of("https://app.example/jwks", resolve=naming(address)), HostRefused)


async def test_one_inner_address_among_public_ones_is_enough_to_refuse() -> None:
    refused = await refusal_of(
        "https://app.example/", allow_loopback=False, resolve=naming("93.184.216.34", "10.0.0.1")
    )
    assert isinstance(refused, HostRefused)


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("2130706433", id="one number"),
        pytest.param("0x7f000001", id="hexadecimal"),
        pytest.param("017700000001", id="octal"),
        pytest.param("127.1", id="short"),
        pytest.param("[::ffff:127.0.0.1]", id="mapped"),
        pytest.param("[::]", id="unspecified"),
        pytest.param("0", id="zero"),
        pytest.param("localhost", id="localhost"),
        pytest.param("localhost.", id="localhost with a dot"),
        pytest.param("127.0.0.1", id="plain"),
    ],
)
async def test_no_spelling_of_this_machine_is_called(host: str) -> None:
    with Receiver() as receiver:
        refused = await refusal_of(f"https://{host}:{receiver.port}/", allow_loopback=False)
        assert isinstance(refused, HostRefused | Unreachable)
        assert receiver.requests == []


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://app.example/", id="plain http"),
        pytest.param("http://127.0.0.1:{port}/", id="plain http to this machine"),
        pytest.param("http://2130706433:{port}/", id="plain http to a number"),
        pytest.param("http://[::ffff:127.0.0.1]:{port}/", id="plain http to a mapped address"),
        pytest.param("https://app.example@127.0.0.1:{port}/", id="a host as user name"),
        pytest.param("https://user:pass@app.example/", id="a user name"),
        pytest.param("ftp://app.example/", id="another scheme"),
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("//app.example/", id="no scheme"),
        pytest.param("https:///path", id="no host"),
        pytest.param("https://app.example:99999/", id="no such port"),
        pytest.param("https://xn--0/", id="a name that is none"),
        pytest.param("https://app.example\n.evil.example/", id="a line break"),
        pytest.param("", id="nothing"),
    ],
)
async def test_a_url_that_is_not_plainly_https_is_refused(url: str) -> None:
    with Receiver() as receiver:
        refused = await refusal_of(url.format(port=receiver.port), allow_loopback=False)
        assert isinstance(refused, UrlRefused)
        assert receiver.requests == []


async def test_plain_http_is_for_loopback_hosts_even_where_that_is_allowed() -> None:
    assert isinstance(await refusal_of("http://app.example/", resolve=naming("127.0.0.1")), UrlRefused)


async def test_a_name_that_changes_its_address_in_between_gains_nothing() -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    asked = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return next(answers)

    with Receiver(lambda _: Answer(body=b"[]")) as receiver:
        async with outbound(resolve=rebinding) as client:
            assert await client.fetch_json(f"http://x.localhost:{receiver.port}/") == []
            assert asked == ["x.localhost"]
            with pytest.raises(HostRefused):
                await client.fetch_json(f"http://x.localhost:{receiver.port}/")


async def test_a_dead_address_is_passed_over_for_the_next() -> None:
    with Receiver(lambda _: Answer(body=b"{}")) as receiver:
        async with outbound(resolve=naming("::1", "127.0.0.1")) as client:
            assert await client.fetch_json(f"http://x.localhost:{receiver.port}/") == {}


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    with Receiver() as inner:
        moved = Answer(302, headers=(("Location", inner.url),))
        with Receiver(lambda _: moved) as receiver:
            assert isinstance(await refusal_of(receiver.url), UnusableAnswer)
            async with outbound() as client:
                assert (await client.post(receiver.url, b"", {})).status == 302
        assert inner.requests == []


def drip(wire: Any) -> None:
    for _ in range(200):
        wire.write(b" ")
        wire.flush()
        time.sleep(0.05)


async def test_a_slow_drip_ends_in_time() -> None:
    with Receiver(lambda _: Answer(write=drip)) as receiver:
        began = time.monotonic()
        assert isinstance(await refusal_of(receiver.url, seconds=0.5), TooSlow)
        assert time.monotonic() - began < 1.5


async def test_headers_that_do_not_come_end_in_time() -> None:
    def sleep(_: Received) -> Answer:
        time.sleep(1.5)
        return Answer()

    with Receiver(sleep) as receiver:
        assert isinstance(await refusal_of(receiver.url, seconds=0.3), TooSlow)


async def test_the_status_of_a_post_counts_though_its_body_never_ends() -> None:
    with Receiver(lambda _: Answer(204, write=drip)) as receiver, Receiver(lambda _: Answer(200, write=drip)) as other:
        async with outbound(seconds=5.0) as client:
            assert (await client.post(receiver.url, b"x", {})).status == 204
            reply = await client.post(other.url, b"x", {})
            assert reply.status == 200
            assert reply.start.strip() == b""


async def test_only_the_first_bytes_of_a_huge_body_are_read() -> None:
    written = 0

    def flood(wire: Any) -> None:
        nonlocal written
        for _ in range(2000):
            wire.write(b"[" * 65536)
            written += 65536

    with Receiver(lambda _: Answer(write=flood)) as receiver:
        assert isinstance(await refusal_of(receiver.url, seconds=5.0), UnusableAnswer)
        async with outbound(seconds=5.0) as client:
            assert len((await client.post(receiver.url, b"", {})).start) <= 2048
    assert written < 2000 * 65536


async def test_exactly_64_kib_is_still_read() -> None:
    fits = b'"' + b"a" * (LONGEST_ANSWER - 2) + b'"'
    with Receiver(lambda _: Answer(body=fits)) as receiver:
        async with outbound() as client:
            assert len(await client.fetch_json(receiver.url)) == LONGEST_ANSWER - 2
    with Receiver(lambda _: Answer(body=fits + b" ")) as receiver:
        assert isinstance(await refusal_of(receiver.url), UnusableAnswer)


async def test_a_decompression_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    packed = Answer(body=bomb, headers=(("Content-Encoding", "gzip"),))
    with Receiver(lambda _: packed) as receiver:
        assert isinstance(await refusal_of(receiver.url), UnusableAnswer)
        assert receiver.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "body",
    [pytest.param(b"<html>", id="no JSON"), pytest.param(b"[" * 60_000, id="a deep one"), pytest.param(b"", id="none")],
)
async def test_what_is_not_json_is_refused(body: bytes) -> None:
    with Receiver(lambda _: Answer(body=body)) as receiver:
        assert isinstance(await refusal_of(receiver.url), UnusableAnswer)


async def test_a_closed_port_is_unreachable() -> None:
    assert isinstance(await refusal_of(f"http://127.0.0.1:{free_port()}/"), Unreachable)


async def test_an_answer_that_is_no_http_is_unreachable() -> None:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert isinstance(await refusal_of(f"http://127.0.0.1:{port}/"), Unreachable)


async def test_one_slow_host_does_not_hold_up_the_others() -> None:
    def stall(_: Received) -> Answer:
        time.sleep(2)
        return Answer()

    with Receiver(stall) as slow, Receiver(lambda _: Answer(body=b"1")) as quick:
        async with outbound(seconds=1.5) as client:
            waiting = [asyncio.create_task(client.post(slow.url, b"", {})) for _ in range(100)]
            await asyncio.sleep(0.2)
            began = time.monotonic()
            assert await client.fetch_json(f"http://localhost:{quick.port}/") == 1
            assert time.monotonic() - began < 0.5
            ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(end, TooSlow) for end in ended)


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver(lambda _: Answer(body=b"1")) as receiver, Receiver() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        async with outbound() as client:
            assert await client.fetch_json(receiver.url) == 1
        assert proxy.requests == []


async def test_cookies_are_not_kept() -> None:
    with Receiver(lambda _: Answer(headers=(("Set-Cookie", "a=b; Path=/"),))) as receiver:
        async with outbound() as client:
            await client.post(receiver.url, b"", {})
            await client.post(receiver.url, b"", {})
        assert "cookie" not in receiver.requests[1].headers


async def test_a_post_arrives_as_it_was_sent() -> None:
    with Receiver(lambda _: Answer(400, body=b"no such thing")) as receiver:
        async with outbound() as client:
            reply = await client.post(f"{receiver.url}/hook?a=b#c", b"hello", {"Content-Type": "text/plain"})
        assert reply == (400, b"no such thing")
        received = receiver.requests[0]
        assert (received.method, received.path, received.body) == ("POST", "/hook?a=b", b"hello")
        assert received.headers["host"] == f"127.0.0.1:{receiver.port}"
        assert received.headers["content-type"] == "text/plain"


async def test_the_certificate_is_checked_against_the_name_not_the_address(tmp_path: Path) -> None:
    serving, trusting = certificates(tmp_path, "app.example")
    with Receiver(lambda _: Answer(body=b"1"), tls=serving) as receiver:
        async with outbound(resolve=naming("127.0.0.1"), ssl_context=trusting) as client:
            assert await client.fetch_json(f"https://app.example:{receiver.port}/") == 1
            with pytest.raises(Unreachable):
                await client.fetch_json(f"https://other.example:{receiver.port}/")
        assert isinstance(
            await refusal_of(f"https://app.example:{receiver.port}/", resolve=naming("127.0.0.1")), Unreachable
        )


async def test_an_error_repeats_nothing_of_the_url() -> None:
    for url in ("https://secret-host.example/token-in-path", "http://secret-host.example/", "https://secret-host/?k=v"):
        refused = await refusal_of(url, allow_loopback=False, resolve=naming("10.0.0.1"))
        assert "secret" not in str(refused)
        assert "token" not in str(refused)


def certificates(folder: Path, host: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate of its own for this host, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, SHA256())
    )
    public, private = folder / "cert.pem", folder / "key.pem"
    public.write_bytes(certificate.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(public, private)
    return serving, ssl.create_default_context(cafile=public)
