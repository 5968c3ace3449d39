"""A shop's side of the data plane: search, turn pages, tell what users did, and wait when the service asks for it.

    python examples/search_client.py "labubu drone"

asks the service at SLOTBEAM_DATA_URL, else http://127.0.0.1:8000, for two pages, and clicks and orders one item.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

DATA_URL = "http://127.0.0.1:8000"
PAGE = 5
MOST_ITEMS = 1000
TRIES = 5


@dataclass(frozen=True)
class Page:
    """One page of an answer; `first` is the rank of its first item, from 0."""

    request_id: str
    revision: int
    bound: list[str]
    first: int
    items: list[dict[str, Any]]


class SearchClient:
    """Asks one data plane.

    Args:
        http: knows the service's address; its time-out is how long a user of the shop waits.
        sleep: takes seconds.
    """

    def __init__(self, http: httpx.Client, sleep: Callable[[float], None] = time.sleep) -> None:
        self.http, self.sleep = http, sleep

    def search(self, query: str, page: int = 0, size: int = PAGE, **fields: Any) -> Page:
        """Return a page; `fields` are further ones of `/retrieve`, such as `filter`, `collapse` or `sort`.

        A smaller answer is the beginning of a larger one. So page n is the tail of an answer of (n + 1) pages, and no
        item is on two pages or on none, as long as query, fields and the bindings' revision are the same.
        """
        first = page * size
        if first >= MOST_ITEMS:  # deeper than any user turns pages
            return Page("", 0, [], first, [])
        body = {"query": query, "k": min(first + size, MOST_ITEMS), **fields}
        answer = self._post("/retrieve", body)
        bound = [f"{one['word']} → slot {one['slot']}, {one['items']} items" for one in answer["applied_bindings"]]
        return Page(answer["request_id"], answer["bindings"]["revision"], bound, first, answer["items"][first:])

    def report(self, kind: str, page: Page, place: int) -> None:
        """Tell of a `click` or an `order` on the item at `place` of a page: hit rates are counted from these."""
        item = page.items[place]
        event = {"request_id": page.request_id, "type": kind, "item_id": item["id"], "rank": page.first + place}
        self._post("/events", {"events": [event]})

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send a request; when the service is busy (503) wait as long as it asks for, and try again a few times.

        Both requests may be sent twice: a search changes nothing, and a replica counts the same event once.
        """
        for attempt in range(TRIES):
            response = self.http.post(path, json=body)
            if response.status_code != 503 or attempt == TRIES - 1:
                break
            asked = float(response.headers.get("retry-after", 0.1))
            self.sleep(
                random.uniform(asked, asked + 2**attempt)
            )  # who was refused together must not come back together
        if response.is_error:  # application/problem+json: what was given, what is allowed, what to do
            raise SystemExit(f"{response.status_code}: {response.json()['detail']}")
        found: dict[str, Any] = response.json()
        return found


def show(page: Page) -> None:
    """Print a page; ● marks an item that a binding brought."""
    print(f"page {page.first // PAGE + 1}, bindings at revision {page.revision}")
    for bound in page.bound:
        print(f"  bound: {bound}")
    for rank, item in enumerate(page.items, page.first + 1):
        mark = "●" if item["source"] == "binding" else " "
        print(f"  {rank:3} {mark} {item['title']} ({item['id']})")


def main(query: str) -> None:
    with httpx.Client(base_url=os.environ.get("SLOTBEAM_DATA_URL", DATA_URL), timeout=5) as http:
        client = SearchClient(http)
        pages = [client.search(query, page) for page in (0, 1)]
        for page in pages:
            show(page)
        if pages[0].items:  # a real shop does this when the user does it
            client.report("click", pages[0], 0)
            client.report("order", pages[0], 0)
            print(f"reported a click and an order on {pages[0].items[0]['id']}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: {sys.argv[0]} QUERY")
    main(sys.argv[1])
