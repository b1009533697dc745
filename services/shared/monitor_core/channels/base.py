"""What every kind of channel says about itself."""

from collections.abc import Mapping

from monitor_core.specs import Spec


class ChannelSpec(Spec):
    """The fields of one kind of channel; `example` is an item of a request's `on_verdict`."""


Channels = Mapping[str, type[ChannelSpec]]
"""The kinds of channel that there are, by name."""
