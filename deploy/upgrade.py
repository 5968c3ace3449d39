#!/usr/bin/env python3
"""Upgrade slotbeam while it answers: its version, its model, or its index (docs/upgrading.md).

    upgrade.py service --replica serve-1=http://10.0.0.1:8000 --replica serve-2=http://10.0.0.2:8000 \
        --replica admin=http://10.0.0.3:8001 --replace 'ssh {name} systemctl restart slotbeam'
    upgrade.py model --control admin=http://10.0.0.3:8001 --replica serve-1=... --replica serve-2=... \
        --replace 'ssh {name} systemctl restart slotbeam' --carry 'slotbeam slots carry --url {url}'
    upgrade.py index shop-1204 --control admin=http://10.0.0.3:8001 --replica serve-1=... --replica serve-2=... \
        --pull 'ssh {name} slotbeam index pull s3://shop/indexes/shop-1204' --queries queries.txt

Python 3.11 and no package; {name} and {url} in a command are those of the replica it is run for. Status 0:
done. 1: stopped, with why, at a replica that is not as it should be; all others serve. `index` goes back by itself.
SLOTBEAM_ADMIN_TOKEN: a token with the scope indexes:write, for `index`.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

POLL_S, CALL_S = 0.2, 10.0
SWITCH_S = 60
SAMPLE = re.compile(r"^([a-z_]+)(?:\{[^}]*\})? ([0-9.e+-]+)$", re.MULTILINE)


class Stopped(Exception):
    """What is not as it should be, and what to do."""


@dataclass(frozen=True)
class Replica:
    """A plane, data or control: its name for commands, and where it answers."""

    name: str
    url: str

    @classmethod
    def read(cls, text: str) -> Replica:
        name, equals, url = text.partition("=")
        if not name or not equals or not url.startswith(("http://", "https://")):
            raise argparse.ArgumentTypeError(f"{text!r} is no replica; give NAME=http://HOST:PORT")
        return cls(name, url.rstrip("/"))


@dataclass(frozen=True)
class Serving:
    """What a replica serves; where several processes share its port, the least of them.

    Attributes:
        started: when the oldest process started, and the newest, unix seconds.
        revision, seq: of the edits of bindings and of items that it serves.
    """

    started: tuple[float, float]
    revision: float
    seq: float


def ask(url: str, body: Any = None, token: str = "", timeout_s: float = CALL_S) -> tuple[int, bytes]:
    """Return status and content; status 0 and why where nothing answers, or an answer is cut."""
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
    data = None if body is None else json.dumps(body).encode()
    try:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=timeout_s) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error).encode()


def told(url: str, body: Any = None) -> Any:
    """Return what a replica answers, read as JSON. Raises `Stopped`: it answers something else, or nothing."""
    status, content = ask(url, body)
    try:
        if status == 200:
            return json.loads(content)
    except ValueError:
        pass
    raise Stopped(f"{url} answers with {status or 'nothing'}: {content[:200].decode(errors='replace')}")


def serving(replica: Replica) -> Serving | None:
    """Return what a replica serves; None while it is not ready."""
    status, _ = ask(f"{replica.url}/readyz")
    told, metrics = ask(f"{replica.url}/metrics")
    if (status, told) != (200, 200):
        return None
    found: dict[str, list[float]] = {}
    for name, value in SAMPLE.findall(metrics.decode()):
        found.setdefault(name, []).append(float(value))
    try:
        started = found["process_start_time_seconds"]
        revision, seq = (found[name] for name in ("slotbeam_bindings_applied_revision", "slotbeam_items_applied_seq"))
    except KeyError:  # of a process that was not asked yet
        return None
    return Serving((min(started), max(started)), min(revision), min(seq))


def run(command: str, replica: Replica) -> None:
    """Run a command for a replica. Raises `Stopped`: it failed."""
    line = command.replace("{name}", replica.name).replace("{url}", replica.url)
    print(f"{replica.name}: {line}", flush=True)
    status = subprocess.run(line, shell=True).returncode
    if status:
        raise Stopped(f"{replica.name}: the command ended with status {status}")


def replace(replica: Replica, others: list[Replica], options: argparse.Namespace) -> None:
    """Replace one replica, and wait until the new one serves what was served before. Raises `Stopped`."""
    before = serving(replica)
    if before is None or any(serving(one) is None for one in others):
        down = [one.name for one in (replica, *others) if serving(one) is None]
        raise Stopped(f"{', '.join(down)} not ready: with {replica.name} away, too, fewer would answer than should")
    run(options.replace, replica)
    deadline = time.monotonic() + options.timeout
    while True:
        now = serving(replica)
        new = now is not None and now.started[0] > before.started[1]
        if now and new and now.revision >= before.revision and now.seq >= before.seq:
            break
        if time.monotonic() > deadline:
            what = "is not ready" if now is None else "serves less than before" if new else "is the process of before"
            raise Stopped(
                f"{replica.name} {what}, {options.timeout:g} s after it was to be replaced: look at its log and at "
                "slotbeam doctor, and put the former one back by the same command"
            )
        time.sleep(POLL_S)
    info = told(f"{replica.url}/info")
    for what, wanted in (("version", options.version), ("model", options.model)):
        if wanted and info[what] != wanted:
            raise Stopped(f"{replica.name} serves the {what} {info[what]}, not {wanted}")
    said = f"version {info['version']}, model {info['model']}, revision {now.revision:g}, seq {now.seq:g}"
    print(f"{replica.name}: serves, {said}", flush=True)


def service(options: argparse.Namespace) -> None:
    """Replace every replica, one after the other, in the order given."""
    for replica in options.replica:
        replace(replica, [one for one in options.replica if one != replica], options)


def model(options: argparse.Namespace) -> None:
    """Replace the control plane, give the bindings slots of the new codebook, then replace the data planes."""
    every = [options.control, *options.replica]
    replace(options.control, options.replica, options)
    run(options.carry, options.control)
    for replica in options.replica:
        replace(replica, [one for one in every if one != replica], options)


def index(options: argparse.Namespace) -> None:
    """Pull an index everywhere, activate it, and go back where it is not served or a query lost its items."""
    queries = read_queries(options.queries)
    for replica in (options.control, *options.replica) if options.pull else ():
        run(options.pull, replica)
    before = {query: answered(options, query) for query in queries}
    done = switch(options, "activate")
    spread = done["propagation"]
    try:
        late = [one for one in spread["replicas"] if not one["applied"]]
        if late or spread["expected"] is None:
            told = ", ".join(f"{one['id']} ({one['error'] or 'not yet'})" for one in late)
            raise Stopped(f"{options.name} is not served by {told or spread['error']}")
        lost = [query for query in queries if before[query] and not answered(options, query)]
        if lost:
            raise Stopped(f"{len(lost)} of {len(queries)} queries have no items any more: {', '.join(lost[:5])}")
    except Stopped as why:
        if done["did"] == "unchanged":
            raise Stopped(f"{why}; it was active before, so nothing was changed") from None
        try:
            back = switch(options, "rollback")["propagation"]
        except Stopped as error:
            raise Stopped(f"{why}; and it did not go back: {error}") from None
        raise Stopped(f"{why}; went back, {back['applied']} of {back['expected']} replicas have") from None
    print(
        f"{options.name}: served by {spread['applied']} replicas, {len(queries)} queries have their items", flush=True
    )


def read_queries(path: Path) -> list[str]:
    """Return the queries of a file, one a line. Raises `Stopped`: it cannot be read, or holds none to look at."""
    try:
        queries = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise Stopped(f"{path} cannot be read ({error}); give --queries a file of UTF-8, one query a line") from None
    if not queries:
        raise Stopped(f"{path} holds no query, so that nothing would be looked at; give one a line")
    return queries


def answered(options: argparse.Namespace, query: str) -> int:
    """Return how many items a query has at the data plane with the fewest. Raises `Stopped`."""
    asked = {"query": query, "k": 10}
    return min(len(told(f"{replica.url}/retrieve", asked)["items"]) for replica in options.replica)


def switch(options: argparse.Namespace, verb: str) -> Any:
    """Activate an index, or roll it back. Returns what was done. Raises `Stopped`: it is refused."""
    path = f"{options.control.url}/admin/indexes/{options.name}:{verb}?wait=all&timeout={SWITCH_S}s"
    status, content = ask(path, {}, os.environ.get("SLOTBEAM_ADMIN_TOKEN", ""), SWITCH_S + CALL_S)
    if not status:
        raise Stopped(
            f"{verb} of {options.name} got no answer ({content.decode(errors='replace')}): it may have happened; look "
            "with slotbeam index list, and go back with slotbeam index rollback"
        )
    if status not in (200, 202):
        raise Stopped(f"{verb} of {options.name} is refused: {content.decode(errors='replace')[:500]}")
    return json.loads(content)


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for what in (service, model, index):
        command = commands.add_parser(what.__name__, help=what.__doc__)
        command.set_defaults(what=what, version=None, model=None)
        command.add_argument("--replica", type=Replica.read, action="append", required=True, help="NAME=URL; repeated")
        if what is not service:
            command.add_argument("--control", type=Replica.read, required=True, help="the control plane, NAME=URL")
        if what is not index:
            command.add_argument("--replace", required=True, help="restarts {name}, by SIGTERM, as what is new")
            command.add_argument("--timeout", type=float, default=300, help="seconds until it serves (%(default)g)")
    commands.choices["service"].add_argument("--version", help="that a new one must be of")
    commands.choices["model"].add_argument("--model", help="that a new one must serve")
    commands.choices["model"].add_argument("--carry", required=True, help="slotbeam slots carry, at the control plane")
    commands.choices["index"].add_argument("name", help="of the index")
    commands.choices["index"].add_argument("--pull", help="brings the index to {name}; else it is there already")
    commands.choices["index"].add_argument("--queries", type=Path, required=True, help="a file, one query a line")
    options = parser.parse_args()
    try:
        options.what(options)
    except Stopped as why:
        sys.exit(f"upgrade: stopped: {why}")


if __name__ == "__main__":
    main()
