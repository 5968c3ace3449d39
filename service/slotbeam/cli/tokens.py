"""`slotbeam tokens …`: scoped tokens of the control plane on this data directory; only their hashes are kept."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slotbeam.cli.console import say, show_json, table
from slotbeam.cli.options import AsJson, DataDir, settings_of

if TYPE_CHECKING:
    from slotbeam.access.tokens import Token

group = typer.Typer(help="Scoped tokens of the control plane: create, list, revoke.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Whom it is for; the audit names it.")]
Which = Annotated[str, typer.Argument(help="An id of the list, or a name.")]
Scopes = Annotated[
    list[str],
    typer.Option(
        "--scope",
        "-s",
        help="slots:read, slots:write (slots:draft: drafts only), items:write and so on; may be repeated.",
    ),
]
Days = Annotated[int | None, typer.Option(help="How long it lives; until it is revoked otherwise.")]
Every = Annotated[bool, typer.Option("--all", help="Both tokens of the name.")]


@group.command()
def create(
    ctx: typer.Context, name: Name, scope: Scopes, days: Days = None, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Make a token and print its secret, this once. A name may have two, so that one can replace the other."""
    from slotbeam.access.tokens import TokenFile

    made, secret = TokenFile(settings_of(ctx).data_dir).create(name, scope, days, time.time())
    if as_json:
        show_json({**_view(made), "token": secret})
        return
    say(secret)
    sys.stderr.write(
        f"{made.id} for {made.name} may {', '.join(made.scopes)} until {_moment(made.expires_at) or 'it is revoked'}; "
        "the secret is shown this once and kept nowhere\n"
    )


@group.command("list")
def list_tokens(ctx: typer.Context, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the tokens, not the secrets. The admin token (SLOTBEAM_ADMIN_TOKEN or DATA_DIR/admin.token) is not one."""
    from slotbeam.access.tokens import TokenFile

    tokens = [_view(token) for token in TokenFile(settings_of(ctx).data_dir).read()]
    if as_json:
        show_json(tokens)
        return
    columns = ("id", "name", "state", "scopes", "created", "expires")
    rows = [(*(token[c] for c in columns[:3]), ", ".join(token["scopes"]), *_times(token)) for token in tokens]
    table(columns, rows)
    say(f"{sum(token['state'] == 'live' for token in tokens)} of {len(tokens)} are live")


@group.command()
def revoke(
    ctx: typer.Context, which: Which, every: Every = False, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Refuse a token from the next request on."""
    from slotbeam.access.tokens import TokenFile

    gone = [_view(token) for token in TokenFile(settings_of(ctx).data_dir).revoke(which, every)]
    if as_json:
        show_json(gone)
        return
    for token in gone:
        say(f"{token['id']} of {token['name']} is revoked")


def _view(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "state": "live" if token.live(time.time()) else "expired",
        "scopes": list(token.scopes),
        "created_at": _moment(token.created_at),
        "expires_at": _moment(token.expires_at),
    }


def _times(token: dict[str, Any]) -> tuple[str, str]:
    return token["created_at"] or "", token["expires_at"] or "never"


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
