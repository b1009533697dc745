"""The spec of the kind `webhook`: one URL, up to two secrets to sign with, no header that it sets itself."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from monitor_core.channels import BUILT_IN, WebhookChannel

URL = "https://hooks.example.com/monitors"
SECRET = "env:MONITOR_SECRET_WEBHOOK"
OLD = "https://v.vault.azure.net/secrets/old"


def accepted(**fields: Any) -> WebhookChannel:
    return WebhookChannel.model_validate({"url": URL, **fields})


def refused(**fields: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        accepted(**fields)
    return str(caught.value)


def test_its_example_is_accepted_and_a_url_is_all_that_it_takes() -> None:
    spec = BUILT_IN["webhook"].model_validate(WebhookChannel.example["to"])
    assert spec.as_wire() == {**WebhookChannel.example["to"], "secret": [SECRET]}
    assert accepted().as_wire() == {"kind": "webhook", "url": URL}


@pytest.mark.parametrize("given", [{}, {"url": URL, "url_secret": SECRET}])
def test_it_takes_exactly_one_url(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="should have url or url_secret, exactly one of them"):
        WebhookChannel.model_validate(given)
    WebhookChannel.model_validate({"url_secret": SECRET})


@pytest.mark.parametrize("url", ["ftp://a.example/", "https://me:pass@a.example/", "https://a.example/\n"])
def test_a_url_that_cannot_be_posted_to_is_refused(url: str) -> None:
    assert "url" in refused(url=url)


@pytest.mark.parametrize(("secret", "kept"), [(SECRET, (SECRET,)), ([SECRET, OLD], (SECRET, OLD))])
def test_it_signs_with_one_secret_or_two(secret: object, kept: tuple[str, ...]) -> None:
    spec = accepted(secret=secret)
    assert spec.secret == kept
    assert WebhookChannel.model_validate(spec.as_wire()) == spec


@pytest.mark.parametrize("secret", [[], [SECRET, OLD, SECRET], "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "", 7])
def test_it_signs_with_nothing_else_and_repeats_no_secret(secret: object) -> None:
    spec = {"url": URL, "secret": secret}
    with pytest.raises(ValidationError) as caught:
        WebhookChannel.model_validate(spec)
    assert all(error["loc"][0] == "secret" for error in caught.value.errors())
    assert all("MfKQ9r8" not in error["msg"] for error in caught.value.errors())


def test_its_schema_says_one_or_a_list() -> None:
    schema = TypeAdapter(WebhookChannel).json_schema()["properties"]["secret"]
    assert [one["type"] for one in schema["anyOf"]] == ["string", "array"]
    assert schema["anyOf"][1]["items"] == {**schema["anyOf"][0]}
    assert schema["anyOf"][1]["maxItems"] == 2


@pytest.mark.parametrize(
    "name", ["webhook-id", "Webhook-Signature", "WEBHOOK-TIMESTAMP", "content-type", "ce-id", "CE-Mine"]
)
def test_a_header_that_it_sets_itself_is_refused(name: str) -> None:
    assert f"{name} is set by the webhook itself" in refused(headers={name: "x"})
    key = {"type": "api_key", "header": name, "key": SECRET}
    assert f"{name} is set by the webhook itself" in refused(auth=key)


def test_any_other_header_goes_with_it_unless_auth_sets_it() -> None:
    headers = {"X-Tenant": "a", "WebHook-Request-Origin": "monitor.example.com"}
    assert accepted(headers=headers).headers == headers
    key = {"type": "api_key", "header": "x-tenant", "key": SECRET}
    assert "stands in headers and is set by auth" in refused(headers=headers, auth=key)
