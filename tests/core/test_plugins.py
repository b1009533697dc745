"""Plug-ins: what is enabled is there, what cannot be used is said, and nothing else is loaded."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor_core import plugins
from monitor_core.kinds import BUILT_IN
from monitor_core.plugins import PluginError
from monitor_core.settings import SettingsError, client_settings, worker_settings

SPEC = """
from types import MappingProxyType
from typing import Literal
from monitor_core.kinds.base import CheckSpec

class Check(CheckSpec):
    variables = MappingProxyType({})
    natural_success = "true"
    kind: Literal["KIND"] = "KIND"
"""
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a distribution on the path: the kind's name, its spec's source, its driver's."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def put(name: str, spec: str | None = None, driver: str = "", *, owner: str | None = None) -> None:
        module = f"plugged_{re.sub(r'[^a-z]', '_', owner or name)}_{tmp_path.name}".replace("-", "_")
        (tmp_path / f"{module}.py").write_text(SPEC.replace("KIND", name) if spec is None else spec)
        (tmp_path / f"{module}_driver.py").write_text(driver)
        info = tmp_path / f"{owner or 'plugin_' + name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {owner or 'plugin-' + name}\nVersion: 1.0\n")
        entries = [f"[{plugins.SPECS}]", f"{name} = {module}:Check"]
        if driver:
            entries += [f"[{plugins.DRIVERS}]", f"{name} = {module}_driver:create"]
        (info / "entry_points.txt").write_text("\n".join(entries) + "\n")

    return put


def refused(*names: str) -> str:
    with pytest.raises(PluginError) as caught:
        plugins.kinds(names)
    return str(caught.value)


def test_with_none_named_the_kinds_are_the_built_in_ones(install: Install) -> None:
    install("weather")
    assert plugins.kinds(()) == BUILT_IN
    assert client_settings({}).kinds == worker_settings({"MONITOR_PLUGINS": ""}).kinds == BUILT_IN


def test_what_is_not_enabled_is_not_even_loaded(install: Install) -> None:
    install("weather")
    install("broken", "raise RuntimeError('must not be imported')")
    assert plugins.kinds(["weather"]).keys() == {*BUILT_IN, "weather"}


@pytest.mark.parametrize("read", [client_settings, worker_settings])
def test_a_setting_enables_it_by_name_in_both_services(read: object, install: Install) -> None:
    install("weather")
    install("tide")
    assert callable(read)
    kinds = read({"MONITOR_PLUGINS": "weather, tide"}).kinds
    assert kinds.keys() == {*BUILT_IN, "tide", "weather"}
    assert kinds["weather"].model_fields["kind"].default == "weather"


def test_the_driver_is_loaded_by_the_worker_only(install: Install) -> None:
    install("weather", driver="def create(resources):\n    return ('made with', resources)\n")
    plugins.kinds(["weather"])
    assert not [name for name in sys.modules if name.startswith("plugged_") and name.endswith("_driver")]
    assert plugins.driver("weather")("these") == ("made with", "these")


def test_a_spec_without_a_driver_says_what_is_missing(install: Install) -> None:
    install("weather")
    plugins.kinds(["weather"])
    with pytest.raises(
        PluginError, match=r"weather is not installed here \(entry points of durable_monitor.checks"
    ):
        plugins.driver("weather")


@pytest.mark.parametrize("kind", BUILT_IN)
def test_a_built_in_kind_is_never_replaced(kind: str, install: Install) -> None:
    install(kind)
    assert plugins.kinds(()) == BUILT_IN
    assert refused(kind).startswith(f"{kind} is a built-in kind")


def test_one_that_is_not_installed_is_named_with_those_that_are(install: Install) -> None:
    install("weather")
    why = refused("wether")
    assert why.startswith("wether is not installed here")
    assert "weather" in why


@pytest.mark.parametrize("name", ["Weather", "1st", "wea-ther", "w" * 65, "../x"])
def test_a_name_that_no_request_could_carry_is_refused(name: str) -> None:
    assert f"{name} is no kind's name" in refused(name)


def test_one_that_two_distributions_offer_is_refused(install: Install) -> None:
    install("weather", owner="sun")
    install("weather", owner="rain")
    assert refused("weather") == "weather is offered by rain and sun: uninstall all but one"


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("import nosuchmodule", "or leave it out: ModuleNotFoundError: No module named 'nosuchmodule'"),
        ("raise RuntimeError('no')", "or leave it out: RuntimeError: no"),
        ("raise SystemExit(3)", "or leave it out: SystemExit: 3"),
        ("raise RuntimeError('no\\nmore')", "or leave it out: RuntimeError: no"),
        ("other = 1", "or leave it out: AttributeError"),
        ("class Check: pass", "is no subclass of CheckSpec"),
        ("Check = 5", "is no subclass of CheckSpec"),
        (SPEC.replace("KIND", "tide"), "is of the kind 'tide'"),
        ("from monitor_core.kinds import CheckSpec as Check", "is of the kind"),
        (SPEC.replace("KIND", "weather").replace("variables = MappingProxyType({})", ""), "declares no variables"),
        (SPEC.replace("KIND", "weather").replace("({})", "({'a': 1})"), "declares 'a' as no Variable of one of"),
        (
            SPEC.replace("KIND", "weather")
            .replace("import CheckSpec", "import CheckSpec, Variable")
            .replace("({})", "({'a': Variable('date', '')})"),
            "declares 'a' as no Variable of one of the types bool, int, double",
        ),
    ],
)
def test_a_spec_that_cannot_be_used_says_why(spec: str, why: str, install: Install) -> None:
    install("weather", spec)
    assert why in refused("weather")


def test_the_setting_is_named_with_the_plug_in_and_what_to_do() -> None:
    with pytest.raises(SettingsError) as caught:
        worker_settings({"MONITOR_PLUGINS": "weather"})
    said = str(caught.value)
    assert said.startswith("MONITOR_PLUGINS: weather is not installed here")
    assert "install the plug-in" in said
