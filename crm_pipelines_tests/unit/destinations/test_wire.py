"""The connection against servers that behave, misbehave and go away; each server is a script of raw bytes."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import Awaitable, Callable

import httpx
import pytest

from crm_pipelines.destinations.wire import Connection, proxy_for

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
JSON = b'{"success":true}'


def _answer(body: bytes = JSON, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 200 OK", b"content-length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def _request_of(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0)
    return head + await reader.readexactly(length)


def _scene(handler: Handler, *, requests: int = 1, read_s: float = 1.0) -> tuple[list[httpx.Response], int]:
    """Send requests over one connection; returns the answers and how often the server was connected to."""
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        try:
            await handler(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def scene() -> list[httpx.Response]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v2/persons?limit=5"
        connection = Connection(ssl.create_default_context(), keepalive_s=4.0)
        out = []
        try:
            for _ in range(requests):
                request = httpx.Request("POST", url, json={"name": "N"}, extensions={"timeout": {"connect": 1.0, "read": read_s}})
                response = await connection.handle_async_request(request)
                await response.aread()
                out.append(response)
        finally:
            await connection.aclose()
            server.close()
            await server.wait_closed()
        return out

    return asyncio.run(scene()), connections


def _always(data: bytes, seen: list[bytes] | None = None) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await _request_of(reader)
            if seen is not None:
                seen.append(request)
            writer.write(data)
            await writer.drain()

    return handler


def test_requests_follow_each_other_on_one_connection() -> None:
    seen: list[bytes] = []
    answers, connections = _scene(_always(_answer(), seen), requests=3)
    assert [(a.status_code, a.json()) for a in answers] == [(200, {"success": True})] * 3
    assert connections == 1
    assert seen[0].startswith(b"POST /api/v2/persons?limit=5 HTTP/1.1\r\n")
    assert seen[0].endswith(b'{"name":"N"}')


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b'8\r\n{"succes\r\n8\r\ns":true}\r\n0\r\n\r\n',
        _answer(gzip.compress(JSON), b"content-encoding: gzip"),
        b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" + _answer(),
        _answer(JSON, b"connection: close"),
    ],
    ids=["chunked", "gzip", "interim", "close"],
)
def test_every_form_of_an_answer_is_read(data: bytes) -> None:
    answers, connections = _scene(_always(data), requests=2)
    assert [a.json() for a in answers] == [{"success": True}] * 2
    assert connections == (2 if b"connection: close" in data else 1)


def test_an_answer_in_small_pieces_is_read() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request_of(reader)
        for byte in _answer():
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        await asyncio.sleep(0.2)

    assert _scene(handler)[0][0].json() == {"success": True}


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\ncontent-le", _answer()[:-3]], ids=["nothing", "half a head", "half a body"])
def test_a_connection_that_ends_before_the_answer_is_told_apart_from_one_that_was_never_made(sent: bytes) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request_of(reader)
        writer.write(sent)

    with pytest.raises(httpx.ReadError):
        _scene(handler)


def test_an_answer_that_never_comes_ends_in_time() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request_of(reader)
        await reader.read()

    with pytest.raises(httpx.ReadTimeout):
        _scene(handler, read_s=0.1)


def test_what_is_no_http_is_said_so() -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        _scene(_always(b"SSH-2.0-OpenSSH\r\n\r\n"))


def test_a_connection_that_the_server_closed_while_idle_is_opened_again() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request_of(reader)
        writer.write(_answer())
        await writer.drain()

    answers, connections = _scene_with_pause(handler)
    assert [a.status_code for a in answers] == [200, 200]
    assert connections == 2


def _scene_with_pause(handler: Handler) -> tuple[list[httpx.Response], int]:
    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await handler(reader, writer)
        writer.close()

    count = 0

    async def scene() -> list[httpx.Response]:
        nonlocal count

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal count
            count += 1
            await closing(reader, writer)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        connection = Connection(ssl.create_default_context(), keepalive_s=4.0)
        out = []
        for _ in range(2):
            request = httpx.Request("GET", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
            out.append(await connection.handle_async_request(request))
            await asyncio.sleep(0.1)
        await connection.aclose()
        server.close()
        await server.wait_closed()
        return out

    return asyncio.run(scene()), count


def test_a_server_that_is_not_there_is_a_connect_error() -> None:
    async def scene() -> None:
        connection = Connection(ssl.create_default_context(), keepalive_s=4.0)
        await connection.handle_async_request(httpx.Request("GET", "http://127.0.0.1:9/"))

    with pytest.raises(httpx.ConnectError):
        asyncio.run(scene())


def test_a_proxy_of_the_environment_is_used_but_never_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example.com:3128")
    monkeypatch.setenv("http_proxy", "http://proxy.example.com:3128")
    monkeypatch.setenv("no_proxy", "inside.example.com")
    assert proxy_for(httpx.URL("https://acme.pipedrive.com")) == "http://proxy.example.com:3128"
    assert proxy_for(httpx.URL("http://127.0.0.1:8080")) is None
    assert proxy_for(httpx.URL("https://inside.example.com")) is None
