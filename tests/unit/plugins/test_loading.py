"""Which plugins run, and what is said of those that can't."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from mcpp.errors import StartError
from mcpp.plugins.loading import Plugin, load_plugins

HEARS = """
from mcpp.plugins import hookimpl

class Hears:
    @hookimpl
    async def charge_point_booted(self, event, site): ...

def make():
    return Hears()

ready = Hears()
"""

CLASS = "from mcpp.plugins import hookimpl\n\nclass plugin:\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory that modules are imported from; they are forgotten with the test."""
    monkeypatch.syspath_prepend(tmp_path)
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.py").write_text(text)


def install(folder: Path, entry_points: str) -> None:
    """As pip leaves a package behind."""
    info = folder / "site_logic-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: site-logic\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[mcpp.plugins]\n{entry_points}\n")


def load(*wanted: str, variables: Mapping[str, str] | None = None) -> list[Plugin]:
    makers = {"auto_start": auto_start}
    return load_plugins(wanted, variables or {}, makers)


def auto_start() -> object:
    from mcpp.plugins.builtin.auto_start import AutoStart

    return AutoStart(by_default=False, id_tag="MCPP")


def names(*wanted: str, variables: Mapping[str, str] | None = None) -> list[str]:
    return [plugin.name for plugin in load(*wanted, variables=variables)]


def refused(*wanted: str, variables: Mapping[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(StartError) as caught:
        load(*wanted, variables=variables)
    return caught.value.lines


def test_the_built_ins_are_those_that_need_no_settings_and_those_that_have_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert names("built-ins") == ["auto_start", "offline_alert"]

    variables = {
        "MCPP_PLUGIN_WEBHOOK_URLS": "https://site.example/hook",
        "MCPP_PLUGIN_WEBHOOK_SECRET": "a secret of many letters",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert names("built-ins", variables=variables) == ["auto_start", "offline_alert", "webhook"]


def test_names_are_added_and_taken_away(folder: Path) -> None:
    write(folder, "billing", HEARS)

    assert names("offline_alert", "billing:Hears") == ["offline_alert", "billing"]
    assert names("built-ins", "-offline_alert", "billing:make") == ["auto_start", "billing"]
    assert names("billing:ready", "built-ins", "-webhook") == ["billing", "auto_start", "offline_alert"]
    assert names("none") == []


def test_built_in_plugins_are_trusted_and_others_are_not(folder: Path) -> None:
    write(folder, "billing", HEARS)

    built_in, other = load("offline_alert", "billing:Hears")

    assert (built_in.trusted, other.trusted) == (True, False)
    assert other.hooks.keys() == {"charge_point_booted"}


def test_installed_plugins_run_only_where_they_are_named(folder: Path) -> None:
    write(folder, "site_logic", HEARS)
    write(folder, "functions", "from mcpp.plugins import hookimpl\n\n@hookimpl\ndef server_started(): ...\n")
    install(folder, "billing = site_logic:Hears\nlamps = functions")

    assert names("built-ins") == ["auto_start", "offline_alert"]
    assert names("billing", "lamps") == ["billing", "lamps"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("raise OSError('no such lamp')", "billing:plugin can't be imported (OSError: no such lamp)"),
        ("plugin = 1 +", "billing:plugin can't be imported (SyntaxError: invalid syntax (billing.py, line 1))"),
        ("", "has no attribute 'plugin'"),
        ("def plugin():\n    return 1 / 0", "billing:plugin can't be made (ZeroDivisionError: division by zero)"),
        ("class plugin:\n    def server_started(self): ...", "it has no hooks"),
        (
            f"{CLASS}    @hookimpl\n    def charge_point_exploded(self): ...",
            "unknown hook 'charge_point_exploded'",
        ),
        (
            f"{CLASS}    @hookimpl\n    def server_started(self, colour): ...",
            "Argument(s) {'colour'} are declared in the hookimpl but can not be found in the hookspec",
        ),
        (
            f"{CLASS}    @hookimpl(wrapper=True)\n    def server_started(self):\n        yield",
            "server_started is a wrapper, which no hook here can be",
        ),
        ("from mcpp.errors import StartError\n\ndef plugin():\n    raise StartError('lamps.toml is missing')", "lamps"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_is_explained_in_one_line(folder: Path, text: str, reason: str) -> None:
    write(folder, "billing", text)

    (line,) = refused("built-ins", "billing:plugin")

    assert line.startswith("plugin billing: ")
    assert reason in line
    assert "\n" not in line


def test_a_module_that_is_not_there_and_a_name_that_nobody_has() -> None:
    assert "No module named 'nowhere'" in refused("nowhere:plugin")[0]
    (line,) = refused("webhok")
    assert line.startswith("plugin webhok: there is none of that name; there are auto_start, configure, ")


def test_all_mistakes_are_told_at_once(folder: Path) -> None:
    write(folder, "billing", HEARS)
    write(folder, "other", HEARS.replace("booted", "exploded"))

    lines = refused("-billing", "nobody", "other:Hears", "billing:Hears", variables={"MCPP_PLUGIN_LAMP_URL": "x"})

    assert [line.partition(":")[0] for line in lines] == [
        "plugins",
        "plugin other",
        "plugin nobody",
        "MCPP_PLUGIN_LAMP_URL",
    ]


def test_two_plugins_of_one_name(folder: Path) -> None:
    write(folder, "billing", HEARS)

    assert refused("billing:Hears", "billing:make") == ("plugin billing: there are two of that name",)


SETTINGS = """
from pydantic import Field
from mcpp.plugins import PluginSettings, hookimpl

class Settings(PluginSettings, env_prefix="MCPP_PLUGIN_TARIFF_"):
    price: int = Field(gt=0)
    currency: str = "EUR"

class Tariff:
    def __init__(self):
        self.settings = Settings()

    @hookimpl
    def transaction_stopped(self, event): ...
"""


def test_settings_of_a_plugin_are_checked_by_their_class(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, "tariff", SETTINGS)

    assert refused("tariff:Tariff") == ("plugin tariff: MCPP_PLUGIN_TARIFF_PRICE: Field required",)

    monkeypatch.setenv("MCPP_PLUGIN_TARIFF_PRICE", "-3")
    (line,) = refused("tariff:Tariff", variables={"MCPP_PLUGIN_TARIFF_PRICE": "-3"})
    assert line == "plugin tariff: MCPP_PLUGIN_TARIFF_PRICE: Input should be greater than 0"

    monkeypatch.setenv("MCPP_PLUGIN_TARIFF_PRICE", "3")
    assert names("tariff:Tariff", variables={"MCPP_PLUGIN_TARIFF_PRICE": "3", "mcpp_plugin_tariff_currency": "SEK"})


def test_variables_that_no_plugin_reads_are_mistakes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, "tariff", SETTINGS)
    monkeypatch.setenv("MCPP_PLUGIN_TARIFF_PRICE", "3")

    variables = {"MCPP_PLUGIN_TARIFF_PRICE": "3", "MCPP_PLUGIN_TARIFF_CURENCY": "SEK", "MCPP_PLUGIN_OFLINE_ALERT_X": ""}
    assert refused("tariff:Tariff", variables=variables) == (
        "MCPP_PLUGIN_OFLINE_ALERT_X: there is no such plugin; did you mean MCPP_PLUGIN_OFFLINE_ALERT_?",
        "MCPP_PLUGIN_TARIFF_CURENCY: plugin tariff has no such setting; did you mean MCPP_PLUGIN_TARIFF_CURRENCY?",
    )


def test_variables_of_a_plugin_that_is_left_out_are_left_alone() -> None:
    variables = {"MCPP_PLUGIN_WEBHOOK_URLS": "https://site.example/hook", "MCPP_PLUGIN_WEBHOOK_WHATEVER": "1"}

    assert names("built-ins", "-webhook", variables=variables) == ["auto_start", "offline_alert"]


OWN_SETTINGS = """
from pydantic import Field
from mcpp.plugins import PluginSettings, hookimpl

class CapSettings(PluginSettings, env_prefix="MCPP_PLUGIN_ENERGY_CAP_"):
    limit_wh: int = Field(10_000, ge=1)

class Cap:
    def __init__(self):
        self.settings = CapSettings()

    @hookimpl
    async def charge_point_booted(self, event, site): ...
"""


def test_a_module_given_by_its_attribute_reads_the_variables_of_its_own_settings(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, "site_cap", OWN_SETTINGS)
    monkeypatch.setenv("MCPP_PLUGIN_ENERGY_CAP_LIMIT_WH", "500")

    (plugin,) = load_plugins(["site_cap:Cap"], {"MCPP_PLUGIN_ENERGY_CAP_LIMIT_WH": "500"})

    assert plugin.name == "site_cap"
    for name, told in (
        ("MCPP_PLUGIN_ENERGY_CAP_LIMIT", "no plugin has such a setting; did you mean MCPP_PLUGIN_ENERGY_CAP_LIMIT_WH?"),
        ("MCPP_PLUGIN_SITE_CAP_LIMIT_WH", "did you mean MCPP_PLUGIN_ENERGY_CAP_LIMIT_WH?"),
    ):
        with pytest.raises(StartError, match=name) as refused:
            load_plugins(["site_cap:Cap"], {name: "500"})
        assert told in str(refused.value)

    monkeypatch.setenv("MCPP_PLUGIN_ENERGY_CAP_LIMIT_WH", "0")
    with pytest.raises(StartError, match="plugin site_cap: MCPP_PLUGIN_ENERGY_CAP_LIMIT_WH: "):
        load_plugins(["site_cap:Cap"], {"MCPP_PLUGIN_ENERGY_CAP_LIMIT_WH": "0"})
