"""What docs/notifications.md shows of webhooks is run as it stands there."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError

from monitor_core.channels import WebhookChannel
from monitor_worker.channels.base import Resources
from monitor_worker.channels.webhook import create
from monitor_worker.checks.origins import Allowed
from monitor_worker.checks.secrets import Secrets
from monitor_worker.checks.targets import TargetGuard
from support.notices import CONTEXT, notice
from support.receiver import receiving

SECTION = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text().partition("\n### webhook\n")[2]
NAME = "MONITOR_SECRET_WEBHOOK"


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
    assert found
    return found[1]


def settings() -> dict[str, str]:
    """What the shell makes of the lines."""
    shown = f'{block("sh")}\nprintf "%s\\n%s" "${NAME}" "$MONITOR_ALLOWED_SECRETS"'
    secret, allowed = subprocess.run(
        ["sh", "-c", shown], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    return {NAME: secret, "allowed": allowed}


@pytest.mark.parametrize("mode", ["structured", "binary"])
async def test_the_receiver_of_the_page_takes_what_the_settings_of_the_page_sign(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = settings()
    assert made["allowed"] == f"env:{NAME}=https://hooks.example.com"
    names: dict[str, Any] = {}
    exec(block("python"), names)
    with receiving(made[NAME]) as receiver:
        allowed = Allowed([made["allowed"].replace("https://hooks.example.com", receiver.url(""))])
        guard = TargetGuard([f"127.0.0.1:{receiver.port}"])
        driver = create(Resources(guard, Secrets(allowed, {NAME: made[NAME]})))
        told = {**WebhookChannel.example["to"], "url": receiver.url("/monitors"), "content_mode": mode}
        for _ in range(2):
            await driver.deliver(WebhookChannel.model_validate(told), notice(), CONTEXT)
        await driver.close()
        came = receiver.at("/monitors")

    monkeypatch.setenv("WEBHOOK_SECRET", made[NAME])
    seen: set[str] = set()
    said = [names["received"](dict(one.headers), one.body, seen) for one in came]
    assert said == ["nightly: Failed, the failure condition holds: observed Broken (poll)", None]
    with pytest.raises(WebhookVerificationError):
        names["received"](dict(came[0].headers), came[0].body + b" ", seen)
