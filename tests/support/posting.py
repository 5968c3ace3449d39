"""HTTP clients that send their whole body before they read: an answer that comes earlier must reach each of them."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping

import httpx
import pytest

HANG_S = 60.0
SLICE = 65_536

Post = Callable[[str, str, bytes, Mapping[str, str]], int]
"""Sends a body to a path of a server, and returns the status of its answer."""


def by_http_client(url: str, path: str, body: bytes, headers: Mapping[str, str]) -> int:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=HANG_S)
    try:
        connection.request("POST", path, body, dict(headers))
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def by_urllib(url: str, path: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Asks for the connection to be closed, as it always does."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url + path, body, dict(headers)), timeout=HANG_S) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            error.read()
            return error.code


def by_httpx(url: str, path: str, body: bytes, headers: Mapping[str, str]) -> int:
    with httpx.Client(verify=False, base_url=url, timeout=HANG_S, trust_env=False) as client:
        return client.post(path, content=body, headers=headers).status_code


def by_httpx_in_chunks(url: str, path: str, body: bytes, headers: Mapping[str, str]) -> int:
    with httpx.Client(verify=False, base_url=url, timeout=HANG_S, trust_env=False) as client:
        return client.post(path, content=_slices(body), headers=headers).status_code


def by_requests(url: str, path: str, body: bytes, headers: Mapping[str, str]) -> int:
    requests = pytest.importorskip("requests")  # of another library of the development environment
    with requests.Session() as session:
        session.trust_env = False
        return int(session.post(url + path, data=body, headers=headers, timeout=HANG_S).status_code)


POSTS: tuple[Post, ...] = (by_http_client, by_urllib, by_httpx, by_httpx_in_chunks, by_requests)


def _slices(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), SLICE):
        yield body[start : start + SLICE]
