"""What every kind that posts to a URL has in common: the URL, which may be a secret itself."""

from typing import Self

from pydantic import Field, model_validator

from monitor_core.channels.base import ChannelSpec
from monitor_core.kinds.http_fields import Url
from monitor_core.kinds.secret import SecretReference


class PostedSpec(ChannelSpec):
    """Where to post to: `url` or `url_secret`, exactly one of them."""

    url: Url | None = Field(None, description="Where to post to; http or https, no credentials in it.")
    url_secret: SecretReference | None = Field(
        None, description="Instead of url, where the URL itself is a secret: names the secret that holds it."
    )

    @model_validator(mode="after")
    def _one_url(self) -> Self:
        if (self.url is None) == (self.url_secret is None):
            raise ValueError("should have url or url_secret, exactly one of them")
        return self
