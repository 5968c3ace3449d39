"""The store's URL: read in one place, refused in words that name the variable, and its password in no output at all."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from slotbeam.bindings.store.store import Store
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.errors import SetupError, StoreUnavailable
from slotbeam.settings import Settings, read_settings, sources
from slotbeam.storeurl import StoreUrl
from support.tlsproxy import CA, CERTIFICATE, KEY

SERVICE = Path(__file__).parent.parent / "service" / "slotbeam"
FORMS = (
    "redis://:{}@127.0.0.1:1/0",
    "rediss://user:{}@127.0.0.1:1",
    "redis://{}@127.0.0.1:1",
    "redis://127.0.0.1:1/0?password={}",
    "redis://127.0.0.1:1?password={}&db=1",
    "unix://user:{}@/nowhere/at/all",
    "unix:///nowhere/at/all?password={}",
    "redis:/user:{}@127.0.0.1",
    "user:{}@127.0.0.1:1",
    "http://user:{}@127.0.0.1:1",
    "redis://:{}@one:1,two:2/0",
    "redis://:{}@127.0.0.1:65536",
    "redis://:{}@127.0.0.1/zero",
    "redis://:{}@127.0.0.1?colour=red",
    "redis://:{}@",
    "redis://:{}@[::1",
    "redis://:{}@127.0.0.1:1#part",
)
ESCAPES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "percent-encoded": lambda text: quote(text, safe=""),
    "as in a form": quote_plus,
}
CHARACTERS = st.characters(exclude_categories=["Cs"])
PASSWORDS = st.one_of(
    st.text(CHARACTERS, min_size=1),
    st.text("@/?#%:[]&= ,;\\\t\nTopSecret0123", min_size=1),
    st.tuples(st.text("ab1", max_size=3), st.sampled_from("@/?#%:[]&=,"), st.text("cd2", max_size=3)).map("".join),
)


def outputs(url: str) -> list[str]:
    """Everything that is ever said of a URL: settings lines, representations and messages."""
    try:
        found = read_settings(redis_url=url)
    except SetupError as error:
        said = Settings.model_construct(redis_url=url).text("redis_url")
        return ["refused", str(error), repr(error), f"{error.__cause__} {error.__suppress_context__}", said]
    where = StoreUrl.parse(url)
    store = Store(url)
    return [
        "taken",
        found.text("redis_url"),
        str(sources(found)),
        repr(found),
        repr(where),
        str(where),
        where.name,
        store.name,
        re.sub("0x[0-9a-f]+", "0x…", repr(store.redis.connection_pool)),
    ]


PLAIN = {form: outputs(form.format("secret")) for form in FORMS}


def refusals() -> set[str]:
    """Each of the messages there are, but for what a URL holds: nothing, so they are few."""
    wrong = ["#", "http://h", "redis://h:x", "redis://a,b", "redis://", "redis://h/x", "redis://h?x=1", "unix://h/x"]
    wrong += [" ", "redis://[", "redis://h/@", "redis://h?db=1&db=2", "redis://h?password=1&password=2", "redis://h?"]
    wrong += ["redis://h?username=1&username=2", "redis://h#"]
    return {text for url in wrong for text in outputs(url) if outputs(url)[0] == "refused"}


REFUSALS = refusals()


@settings(max_examples=600)
@given(form=st.sampled_from(FORMS), escape=st.sampled_from(list(ESCAPES)), password=PASSWORDS)
def test_no_output_depends_on_the_password(form: str, escape: str, password: str) -> None:
    """What is said of a URL is what is said of it with another password, or one of a few fixed sentences."""
    assume(not ("?password=" in form and escape == "as it is" and "&" in password))  # then it is another parameter
    said = outputs(form.format(ESCAPES[escape](password)))
    assert said == PLAIN[form] or set(said) <= REFUSALS


@settings(max_examples=300)
@given(form=st.sampled_from(FORMS), before=PASSWORDS, after=PASSWORDS)
def test_no_output_holds_a_long_piece_of_a_password_as_it_is(form: str, before: str, after: str) -> None:
    assert not [text for text in outputs(form.format(f"{before}TopSecret{after}")) if "TopSecret" in text]


@given(password=st.text(CHARACTERS, min_size=1), user=st.text(CHARACTERS, min_size=1))
def test_a_percent_encoded_password_arrives_whole(password: str, user: str) -> None:
    escaped = f"{quote(user, safe='')}:{quote(password, safe='')}"
    for form in ("redis://{}@h:1/2", "rediss://{}@h", "unix://{}@/run/redis.sock?db=2"):
        where = StoreUrl.parse(form.format(escaped))
        assert (where.username, where.password) == (user, password)
    where = StoreUrl.parse(f"redis://h?username={quote_plus(user)}&password={quote_plus(password)}")
    assert (where.username, where.password) == (user, password)


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("redis://store", ("store", 6379, "", 0, None, None)),
        ("redis://store:1/7", ("store", 1, "", 7, None, None)),
        ("redis://store/?db=3", ("store", 6379, "", 3, None, None)),
        ("redis://user@store", ("store", 6379, "", 0, "user", None)),
        ("redis://:a@b:c@store", ("store", 6379, "", 0, None, "a@b:c")),
        ("redis://[fd00::1]:2/0", ("fd00::1", 2, "", 0, None, None)),
        ("redis://my-redis.shop.svc.cluster.local:6379", ("my-redis.shop.svc.cluster.local", 6379, "", 0, None, None)),
        ("unix:///run/a%20b@c/s?db=1", ("", 6379, "/run/a b@c/s", 1, None, None)),
    ],
)
def test_what_is_right_is_read(url: str, where: tuple[object, ...]) -> None:
    found = StoreUrl.parse(url)
    assert (found.host, found.port, found.path, found.db, found.username, found.password) == where


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://store", "does not begin with redis://, rediss://, unix://"),
        ("store:6379", "does not begin with"),
        ("redis:store", "does not begin with"),
        ("redis://store:port", "the port is no number from 1 to 65535"),
        ("redis://store:0", "the port is no number from 1 to 65535"),
        ("redis://store:65536", "the port is no number from 1 to 65535"),
        ("redis://one:6379,two:6379/0", "several hosts; slotbeam speaks to one server, not to Sentinel or a Cluster"),
        ("redis:///0", "it names no host"),
        ("redis://store/first", "the database is no number"),
        ("redis://store?db=-1", "the database is no number"),
        ("redis://store?socket_timeout=9", "a parameter that is unknown"),
        ("redis://store?ssl_ca_certs=/ca.pem", "that needs rediss://"),
        ("rediss://store?ssl_cert_reqs=maybe", "ssl_cert_reqs is none of required, optional, none"),
        ("redis://store?db=1&db=2", "the parameter db twice"),
        ("unix://run/redis.sock", "a unix socket has a path and no host"),
        ("unix://", "a unix socket has a path and no host"),
        ("redis://store:6379/0\n", "a space, a line end"),
        ("redis://:TopSecret/part2@h", 'an "@" stands behind the host, so a password may hold a "/"'),
        ("redis://:TopSecret#part2@h", 'it holds a "#"'),
        ("redis://:Top\udcffSecret@h", "cannot be printed"),
    ],
)
def test_what_is_wrong_is_a_setup_error_that_says_why_and_what_is_allowed(url: str, why: str) -> None:
    with pytest.raises(SetupError) as error:
        read_settings(redis_url=url)
    assert str(error.value).startswith("SLOTBEAM_REDIS_URL ")
    assert why in str(error.value)
    assert "redis://[user:password@]host[:port][/0]" in str(error.value)
    with pytest.raises(SetupError, match="SLOTBEAM_REDIS_URL"):
        Store(url)


def test_every_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOTBEAM_PORT", "70000")
    with pytest.raises(SetupError, match=r"SLOTBEAM_PORT is '70000'.*; SLOTBEAM_REDIS_URL"):
        read_settings(redis_url="redis://:TopSecret/part2@h")


@pytest.mark.parametrize("name", [name for name, field in Settings.model_fields.items() if field.repr is False])
def test_a_secret_of_the_wrong_kind_is_not_repeated(name: str) -> None:
    with pytest.raises(SetupError) as error:
        read_settings(**{name: ["TopSecret"]})
    assert f"SLOTBEAM_{name.upper()}" in str(error.value)
    assert "TopSecret" not in str(error.value)


async def test_an_error_of_the_client_says_where_and_nothing_else_of_the_url(
    tmp_path: Path, server: EmbeddedStore
) -> None:
    refused = f"unix://user:TopSecret@{server.socket_path}"  # by a server that knows no such user
    for url in (refused, f"unix://user:TopSecret@{tmp_path}/none", "redis://user:TopSecret@127.0.0.1:1"):
        store = Store(url)
        with pytest.raises(StoreUnavailable) as error:
            await store.head()
        assert store.name in str(error.value)
        chain = itertools.takewhile(lambda one: one is not None, _chain(error.value))
        assert not [one for one in chain if "TopSecret" in str(one) or "TopSecret" in repr(one)]
        await store.close()


def _chain(error: BaseException | None) -> itertools.chain[BaseException | None]:
    return itertools.chain([error], _chain(error.__cause__ or error.__context__) if error else [])


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ({"redis_ca": CA}, "SLOTBEAM_REDIS_URL is not set"),
        ({"redis_ca": CA, "redis_url": "redis://store"}, "SLOTBEAM_REDIS_URL is not rediss://"),
        ({"redis_ca": CA.parent / "none.pem", "redis_url": "rediss://store"}, "No such file"),
        ({"redis_ca": KEY, "redis_url": "rediss://store"}, "give a file of certificates in PEM"),
        ({"redis_url": f"rediss://store?ssl_ca_certs={KEY}"}, "ssl_ca_certs in SLOTBEAM_REDIS_URL"),
        ({"redis_url": f"rediss://store?ssl_certfile={CA}"}, "ssl_certfile and ssl_keyfile in SLOTBEAM_REDIS_URL"),
        ({"redis_url": f"rediss://store?ssl_keyfile={KEY}"}, "ssl_certfile and ssl_keyfile in SLOTBEAM_REDIS_URL"),
    ],
)
def test_a_file_of_tls_that_cannot_be_used_is_said_at_the_start(named: dict[str, object], why: str) -> None:
    with pytest.raises(SetupError) as error:
        read_settings(**named)
    assert why in str(error.value)


def test_files_of_tls_are_taken() -> None:
    url = f"rediss://store?ssl_certfile={CERTIFICATE}&ssl_keyfile={KEY}&ssl_check_hostname=false"
    assert read_settings(redis_ca=CA, redis_url=url).redis_ca == CA
    assert Store(url, ca=CA).where.tls == {
        "ssl_ca_certs": str(CA),
        "ssl_certfile": str(CERTIFICATE),
        "ssl_keyfile": str(KEY),
        "ssl_check_hostname": False,
    }


def test_the_url_is_read_nowhere_else_and_every_store_is_told_of_the_ca() -> None:
    """`from_url` and `urlsplit` read it in ways of their own, and say so in words of their own."""
    readers, stores = [], []
    for path in SERVICE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if re.fullmatch("from_url|parse_url|urlsplit|urlparse", called):
                    readers.append(path.name)
                elif called == "Store":
                    stores.append((path.name, "ca" in [keyword.arg for keyword in node.keywords]))
    assert readers == ["actions.py"], "of the metadata of a rule, which is no store's"
    assert len(stores) >= 4
    assert all(told for _, told in stores), stores
