"""What the worker's settings let its checks use: which targets, secrets, tokens and folders."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from monitor_core.contract import Problem
from monitor_core.kinds.secret import is_reference
from monitor_core.settings import SettingsError, WorkerSettings
from monitor_worker.checks.base import Resources
from monitor_worker.checks.key_vault import KeyVault
from monitor_worker.checks.masking import Masker
from monitor_worker.checks.origins import Allowed
from monitor_worker.checks.secrets import Secrets
from monitor_worker.checks.targets import SystemResolver, TargetGuard
from monitor_worker.checks.tokens import AUDIENCES, Tokens

T = TypeVar("T")


def resources_of(settings: WorkerSettings, masker: Masker) -> Resources:
    """The resources of the drivers.

    Args:
        settings: what is allowed.
        masker: is told every secret and token.

    Raises:
        SettingsError: an entry cannot be used; the message names its variable.
    """
    audiences = (*AUDIENCES, *settings.allowed_audiences)
    tokens = Tokens(_read("MONITOR_ALLOWED_AUDIENCES", Allowed, audiences), masker=masker)
    vault = KeyVault(settings.allowed_vaults, tokens) if settings.allowed_vaults else None
    may_be_sent = _read("MONITOR_ALLOWED_SECRETS", _secrets, settings.allowed_secrets)
    return Resources(
        guard=_read(
            "MONITOR_ALLOWED_TARGETS",
            lambda allow: TargetGuard(allow, settings.denied_hosts, SystemResolver()),
            settings.allowed_targets,
        ),
        secrets=Secrets(may_be_sent, settings.secrets, vault, masker),
        tokens=tokens,
        file_roots=_read("MONITOR_FILE_ROOTS", _folders, settings.file_roots),
    )


def _read(variable: str, make: Callable[[Iterable[str]], T], entries: Iterable[str]) -> T:
    try:
        return make(entries)
    except ValueError as error:
        raise SettingsError([Problem(variable, str(error))]) from error


def _secrets(entries: Iterable[str]) -> Allowed:
    entries = tuple(entries)
    allowed = Allowed(entries)
    for number, entry in enumerate(entries, start=1):
        if not is_reference(entry.strip().rpartition("=")[0]):
            # Not repeated: it may be the secret itself.
            what = "env:MONITOR_SECRET_NAME=ORIGIN, or https://VAULT/secrets/NAME=ORIGIN"
            raise ValueError(f"entry {number} names no secret: write {what}")
    return allowed


def _folders(paths: Iterable[str]) -> tuple[Path, ...]:
    folders = tuple(Path(path) for path in paths)
    for folder in folders:
        if not folder.is_absolute() or ".." in folder.parts:
            raise ValueError(f"{str(folder)!r} is no absolute path without '..'")
    return folders
