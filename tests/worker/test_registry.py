"""The registry: a driver is loaded when it is first needed, kept, and closed; what is missing is said."""

import inspect
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from monitor_core.contract import ErrorClass
from monitor_core.kinds import BUILT_IN
from monitor_worker.checks.base import CheckContext, CheckFailed, Driver, Observation, Resources
from monitor_worker.checks.http import HttpDriver
from monitor_worker.checks.registry import Registry, load_driver
from monitor_worker.checks.targets import TargetGuard

SERVICES = Path(__file__).parents[2] / "services"
RESOURCES = Resources(guard=TargetGuard())
Load = Callable[[str, Resources], Driver]


class FakeDriver:
    """Remembers on which thread it was closed."""

    def __init__(self) -> None:
        self.closed_on: list[str] = []

    async def check(self, spec: Any, context: CheckContext) -> Observation:
        raise NotImplementedError

    async def close(self) -> None:
        self.closed_on.append(threading.current_thread().name)


class Loader:
    """Makes a driver a kind, and counts."""

    def __init__(self, pause: Callable[[], object] = lambda: None) -> None:
        self.loaded: list[tuple[str, Resources]] = []
        self.drivers: dict[str, FakeDriver] = {}
        self._pause = pause

    def __call__(self, kind: str, resources: Resources) -> Driver:
        self._pause()
        self.loaded.append((kind, resources))
        self.drivers[kind] = FakeDriver()
        return self.drivers[kind]


def failing(error: Exception) -> Load:
    def load(kind: str, resources: Resources) -> Driver:
        raise error

    return load


def refused(registry: Registry, kind: str) -> CheckFailed:
    with pytest.raises(CheckFailed) as caught:
        registry.find(kind)
    return caught.value


def test_nothing_is_loaded_before_it_is_asked_for() -> None:
    loader = Loader()
    registry = Registry(BUILT_IN, RESOURCES, loader)
    assert loader.loaded == []
    found = registry.find("http")
    assert loader.loaded == [("http", RESOURCES)]
    assert (found.spec, found.driver) == (BUILT_IN["http"], loader.drivers["http"])


def test_a_driver_is_loaded_once() -> None:
    loader = Loader()
    registry = Registry(BUILT_IN, RESOURCES, loader)
    assert registry.find("http") is registry.find("http")
    assert len(loader.loaded) == 1


def test_a_driver_is_loaded_once_though_many_threads_ask_at_the_same_time() -> None:
    together = threading.Barrier(8)
    loader = Loader(pause=lambda: threading.Event().wait(0.02))
    registry = Registry(BUILT_IN, RESOURCES, loader)

    def find(_: int) -> object:
        together.wait(30)
        return registry.find("http")

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(find, range(8)))
    assert len(loader.loaded) == 1
    assert len(set(map(id, found))) == 1


def test_an_unknown_kind_is_misconfigured_and_the_known_ones_are_named() -> None:
    loader = Loader()
    known = {"http": BUILT_IN["http"], "azure_operation": BUILT_IN["azure_operation"]}
    error = refused(Registry(known, RESOURCES, loader), "ftp")
    assert error.error_class is ErrorClass.MISCONFIGURED
    assert str(error) == "check.kind: this worker knows azure_operation, http, not 'ftp'"
    assert loader.loaded == []


@pytest.mark.parametrize("kind", ["base", "registry", "targets", "../http", "http.answer", ""])
def test_a_module_that_is_no_kind_is_never_loaded(kind: str) -> None:
    loader = Loader()
    assert refused(Registry(BUILT_IN, RESOURCES, loader), kind).error_class is ErrorClass.MISCONFIGURED
    assert loader.loaded == []


def test_a_package_that_is_missing_is_named() -> None:
    missing = ModuleNotFoundError("No module named 'psycopg'", name="psycopg")
    error = refused(Registry(BUILT_IN, RESOURCES, failing(missing)), "http")
    assert error.error_class is ErrorClass.MISCONFIGURED
    assert str(error) == "check.kind: the driver of 'http' needs the package psycopg, which this worker lacks"
    assert error.__cause__ is missing


def test_a_driver_that_could_not_be_loaded_is_tried_again() -> None:
    loader = Loader()
    attempts: Iterator[Load] = iter([failing(ModuleNotFoundError("no", name="no")), loader])

    def load(kind: str, resources: Resources) -> Driver:
        return next(attempts)(kind, resources)

    registry = Registry(BUILT_IN, RESOURCES, load)
    refused(registry, "http")
    assert registry.find("http").driver is loader.drivers["http"]


async def test_every_built_in_kind_has_a_driver_of_its_name() -> None:
    registry = Registry(BUILT_IN, RESOURCES)
    for kind in BUILT_IN:
        driver = registry.find(kind).driver
        assert type(driver).__module__ == f"monitor_worker.checks.{kind}"
        assert inspect.iscoroutinefunction(driver.check)
    await registry.close()


def test_a_driver_s_module_is_imported_when_it_is_asked_for_and_not_before() -> None:
    code = (
        "import sys\n"
        "from monitor_core.kinds import BUILT_IN\n"
        "from monitor_worker.checks.base import Resources\n"
        "from monitor_worker.checks.registry import Registry\n"
        "from monitor_worker.checks.targets import TargetGuard\n"
        "registry = Registry(BUILT_IN, Resources(guard=TargetGuard()))\n"
        "assert 'monitor_worker.checks.http' not in sys.modules\n"
        "registry.find('simulated')\n"
        "assert 'monitor_worker.checks.http' not in sys.modules\n"
        "registry.find('http')\n"
        "assert 'monitor_worker.checks.http' in sys.modules\n"
    )
    paths = os.pathsep.join(str(SERVICES / name) for name in ("shared", "worker"))
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": paths}, check=True, timeout=60)


def test_a_plug_in_s_driver_that_is_not_installed_is_named() -> None:
    registry = Registry({"plugged": BUILT_IN["simulated"]}, RESOURCES)
    error = refused(registry, "plugged")
    assert error.error_class is ErrorClass.MISCONFIGURED
    assert str(error).startswith("check.kind: the driver of plugged is not installed here")


@pytest.mark.parametrize("error", [RuntimeError("no"), SystemExit(1)])
def test_a_driver_that_cannot_be_made_keeps_no_other_kind(error: BaseException) -> None:
    loader = Loader()

    def load(kind: str, resources: Resources) -> Driver:
        if kind == "tcp":
            raise error
        return loader(kind, resources)

    registry = Registry(BUILT_IN, RESOURCES, load)
    assert str(refused(registry, "tcp")).endswith(f"'tcp' cannot be made: {type(error).__name__}")
    assert registry.find("http").driver is loader.drivers["http"]


def test_a_driver_is_given_the_worker_s_resources() -> None:
    driver = load_driver("http", RESOURCES)
    assert isinstance(driver, HttpDriver)
    assert driver._client._pool._guard is RESOURCES.guard


async def test_closing_closes_what_was_loaded_and_nothing_else() -> None:
    loader = Loader()
    registry = Registry(BUILT_IN, RESOURCES, loader)
    await registry.close()
    registry.find("simulated")
    await registry.close()
    assert [kind for kind, _ in loader.loaded] == ["simulated"]
    assert loader.drivers["simulated"].closed_on == [threading.current_thread().name]


async def test_a_driver_that_cannot_be_closed_keeps_no_other_open() -> None:
    loader = Loader()

    def load(kind: str, resources: Resources) -> Any:
        return object() if kind == "http" else loader(kind, resources)

    registry = Registry(BUILT_IN, RESOURCES, load)
    for kind in ("http", "simulated"):
        registry.find(kind)
    await registry.close()
    assert loader.drivers["simulated"].closed_on
