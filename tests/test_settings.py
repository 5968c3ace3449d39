"""Settings: read once, described, shown with their source, documented."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

import pytest

from slotbeam.errors import SetupError
from slotbeam.settings import Settings, read_settings, sources

OPERATIONS = Path(__file__).parent.parent / "docs" / "operations.md"


def test_every_setting_has_a_description() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_the_operations_page_has_every_setting_with_its_default_and_meaning_and_no_other() -> None:
    rows = re.findall(
        r"^\| `(SLOTBEAM_\w+)` \| (\S+) \| (.*) \|$", OPERATIONS.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert rows == [
        (f"SLOTBEAM_{name.upper()}", "(unset)" if field.default is None else f"`{field.default}`", field.description)
        for name, field in Settings.model_fields.items()
    ]


def test_a_flag_wins_over_the_environment_and_both_over_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOTBEAM_PORT", "9000")
    monkeypatch.setenv("SLOTBEAM_HOST", "0.0.0.0")
    settings = read_settings(host="127.0.0.2")
    assert (settings.host, settings.port, settings.admin_port) == ("127.0.0.2", 9000, 8001)
    table = {variable: (value, source) for variable, value, source in sources(settings, {"host"})}
    assert table["SLOTBEAM_HOST"] == ("127.0.0.2", "flag")
    assert table["SLOTBEAM_PORT"] == ("9000", "environment")
    assert table["SLOTBEAM_ADMIN_PORT"] == ("8001", "default")


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOTBEAM_REDIS_URL", "")
    monkeypatch.setenv("SLOTBEAM_BEAM_WIDTH", "")
    settings = read_settings()
    assert (settings.redis_url, settings.beam_width) == (None, None)


def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOTBEAM_ADMIN_TOKEN", "correct horse battery")
    monkeypatch.setenv("SLOTBEAM_REDIS_URL", "redis://user:battery@store:6379/0")
    settings = read_settings()
    assert not [secret for secret in ("correct horse", "battery") if secret in repr(settings)]
    assert "battery" not in str(sources(settings))
    assert settings.text("redis_url") == "redis://********@store:6379/0"
    assert settings.environment(["admin_token"]) == {"SLOTBEAM_ADMIN_TOKEN": "correct horse battery"}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:battery@staple@store/0", "redis://********@store/0"),
        ("redis://user:battery%3Fstaple@store", "redis://********@store"),
        ("redis://store:6379/0?password=battery&db=1", "redis://store:6379/0?********"),
        ("unix://user:battery@/run/redis.sock", "unix://********@/run/redis.sock"),
        ("unix:///run/redis.sock?db=1&password=battery", "unix:///run/redis.sock?********"),
        ("unix:///run/user@host/redis.sock", "unix:///run/user@host/redis.sock"),
        ("redis://store:6379/0", "redis://store:6379/0"),
        ("redis://store?db=1", "redis://store?db=1"),
    ],
)
def test_a_password_is_starred_wherever_it_stands_in_the_url(url: str, shown: str) -> None:
    assert read_settings(redis_url=url).text("redis_url") == shown


def test_a_wrong_setting_names_variable_value_and_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOTBEAM_PORT", "70000")
    with pytest.raises(SetupError, match=r"SLOTBEAM_PORT is '70000': .* less than or equal to 65535"):
        read_settings()


PORTS = [name for name in Settings.model_fields if name.endswith("port")]


@pytest.mark.parametrize("name", PORTS)
def test_what_kubernetes_says_of_a_service_is_no_port_and_is_warned_of(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    variable = f"SLOTBEAM_{name.upper()}"
    monkeypatch.setenv(variable, "tcp://10.96.0.17:80")
    with caplog.at_level(logging.WARNING):
        settings = read_settings()
    default = Settings.model_fields[name].default
    assert getattr(settings, name) == default
    assert {found: (value, source) for found, value, source in sources(settings)}[variable] == (str(default), "default")
    [line] = caplog.messages
    assert all(text in line for text in (variable, "tcp://10.96.0.17:80", str(default), "enableServiceLinks: false"))
    assert variable not in os.environ, "a flag and a child process read it, too"


@pytest.mark.parametrize("value", ["tcp://10.96.0.17", "http://10.96.0.17:80", "tcp", "80a"])
def test_any_other_wrong_port_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOTBEAM_PORT", value)
    with pytest.raises(SetupError, match="SLOTBEAM_PORT is"):
        read_settings()


@pytest.mark.parametrize("wrong", ["ARTEFACT", "REDISURL", "PROCESS", "admin_tokens"])
def test_a_variable_that_is_a_misspelt_setting_is_warned_of(
    wrong: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    meant = {"ARTEFACT": "ARTIFACT", "REDISURL": "REDIS_URL", "PROCESS": "PROCESSES", "admin_tokens": "ADMIN_TOKEN"}
    monkeypatch.setenv(f"SLOTBEAM_{wrong}", "a secret, perhaps")
    with caplog.at_level(logging.WARNING):
        read_settings()
    assert caplog.messages == [
        f"SLOTBEAM_{wrong} is no setting, and sets nothing; did you mean SLOTBEAM_{meant[wrong]}?"
    ]


@pytest.mark.parametrize(
    "other",
    [
        "SERVICE_HOST",
        "SERVICE_PORT_HTTP",
        "PORT_8000_TCP_ADDR",
        "ADMIN_SERVICE_PORT",
        "DATA_URL",
        "UP_ARTIFACT",
        "ZONE",
    ],
)
def test_variables_of_commands_and_of_kubernetes_are_no_misspelt_settings(
    other: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(f"SLOTBEAM_{other}", "1")
    with caplog.at_level(logging.WARNING):
        read_settings()
    assert caplog.messages == []


def test_indexes_are_in_the_data_directory_unless_all_replicas_have_another_place(tmp_path: Path) -> None:
    assert read_settings(data_dir=tmp_path).indexes == tmp_path / "indexes"
    assert read_settings(data_dir=tmp_path, index_dir=tmp_path / "shared").indexes == tmp_path / "shared"
