from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

import otel_trading
from otel_trading import environment
from otel_trading.environment import PREFIX, Setting
from otel_trading.errors import ConfigError

SETTINGS: Final = environment.ALL
IDS: Final = [setting.name for setting in SETTINGS]
WRONG: Final = {
    "OTEL_TRADING_MODE": ["real", "live,paper"],
    "OTEL_TRADING_ACCOUNT_ALIAS": ["no", "number"],
    "OTEL_TRADING_VENUE_HOSTS": ["api.mine.example", "=mine", "api.mine.example=", "a=b=c"],
    "OTEL_TRADING_MAX_SERIES": ["0", "-1", "1901", "many", "1.5"],
    "OTEL_TRADING_STRICT": ["yes", "2"],
}


def test_a_setting_is_named_as_its_constant() -> None:
    constants = {name: value for name, value in vars(environment).items() if isinstance(value, Setting)}

    assert {name: value.name for name, value in constants.items()} == {name: name for name in constants}
    assert tuple(constants.values()) == SETTINGS


@pytest.mark.parametrize("setting", SETTINGS, ids=IDS)
def test_a_setting_has_our_prefix_and_says_what_it_means(setting: Setting[object]) -> None:
    assert setting.name.startswith(PREFIX)
    assert setting.doc.endswith(".")
    assert setting.allowed


@pytest.mark.parametrize("setting", SETTINGS, ids=IDS)
@pytest.mark.parametrize("text", [None, "", "  "])
def test_an_unset_or_empty_variable_gives_the_default(setting: Setting[object], text: str | None) -> None:
    assert setting.get({} if text is None else {setting.name: text}) == setting.default


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in WRONG.items() for text in texts])
def test_a_wrong_value_says_what_was_got_and_what_is_allowed(name: str, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        environment.check({name: text})

    setting = next(setting for setting in SETTINGS if setting.name == name)
    assert str(caught.value) == f"{name} is {text!r}. Allowed: {setting.allowed}. Correct it or unset it."


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("OTEL_TRADING_MODE", "Backtest", "backtest"),
        ("OTEL_TRADING_ACCOUNT_ALIAS", "Always", "always"),
        ("OTEL_TRADING_VENUE", "Kraken", "kraken"),
        ("OTEL_TRADING_CURRENCY", "usd", "USD"),
        ("OTEL_TRADING_VENUE_HOSTS", " A.example = Mine,b:80=paper,", (("a.example", "mine"), ("b:80", "paper"))),
        ("OTEL_TRADING_DISABLED_METRICS", " trading.cache.*, trading.sdk.* ,", ("trading.cache.*", "trading.sdk.*")),
        ("OTEL_TRADING_MAX_SERIES", "1900", 1900),
        ("OTEL_TRADING_STRICT", "TRUE", True),
    ],
)
def test_a_right_value_is_read(name: str, text: str, value: object) -> None:
    setting = next(setting for setting in SETTINGS if setting.name == name)

    assert setting.get({name: text}) == value
    environment.check({name: text})


def test_a_misspelt_variable_gets_a_suggestion() -> None:
    with pytest.raises(ConfigError, match=r"OTEL_TRADING_MOED is not a setting.*Did you mean OTEL_TRADING_MODE\?"):
        environment.check({"OTEL_TRADING_MOED": "live"})


def test_a_variable_like_none_of_ours_gets_the_list() -> None:
    with pytest.raises(ConfigError, match="Allowed: OTEL_TRADING_MODE, OTEL_TRADING_ACCOUNT"):
        environment.check({"OTEL_TRADING_QQQQQQQQ": "1"})


def test_variables_of_others_are_left_alone() -> None:
    environment.check({"OTEL_SERVICE_NAME": "bot", "OTEL_TRADINGX": "1", "PATH": "/bin"})


def test_every_variable_that_the_package_names_is_a_setting() -> None:
    """A name in the source that nobody declared would be refused at start."""
    sources = Path(otel_trading.__file__).parent.rglob("*.py")
    named = {name for path in sources for name in re.findall(rf"\b{PREFIX}[A-Z_]*[A-Z]", path.read_text("utf-8"))}

    assert named == set(IDS)
