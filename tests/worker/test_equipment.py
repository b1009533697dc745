"""The worker's settings as its checks use them: an entry that cannot be meant stops the start."""

import pytest

from monitor_core.settings import SettingsError, worker_settings
from monitor_worker.checks.masking import Masker
from monitor_worker.equipment import resources_of

VAULT = "https://shop.vault.azure.net/secrets/api"


@pytest.mark.parametrize("what", ["MONITOR_SECRET_API", "env:API", "s3cr3t-t0ken", "https://shop.vault.azure.net"])
def test_an_entry_that_names_no_secret_stops_the_start_and_is_not_repeated(what: str) -> None:
    sound = "env:MONITOR_SECRET_A=https://a.example"
    settings = worker_settings({"MONITOR_ALLOWED_SECRETS": f"{sound} {what}=https://b.example"})
    with pytest.raises(SettingsError) as refused:
        resources_of(settings, Masker())
    assert str(refused.value).startswith(
        "MONITOR_ALLOWED_SECRETS: entry 2 names no secret: write env:MONITOR_SECRET_NAME=ORIGIN"
    )
    assert what not in str(refused.value)


@pytest.mark.parametrize("what", ["env:MONITOR_SECRET_A", VAULT, f"{VAULT}/{'0' * 32}"])
def test_an_entry_may_name_a_secret_in_both_ways(what: str) -> None:
    resources_of(worker_settings({"MONITOR_ALLOWED_SECRETS": f"{what}=https://a.example"}), Masker())
