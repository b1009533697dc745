"""Hypothesis profiles: the usual one, and one for planted bugs, which need to be found, not explained."""

from hypothesis import Phase, settings

settings.register_profile("usual", deadline=None)
settings.register_profile(
    "planted", deadline=None, phases=(Phase.explicit, Phase.generate), derandomize=True, database=None
)
settings.load_profile("usual")
