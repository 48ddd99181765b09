"""Fixtures by topic live in tests/support."""

import os

# its pytest plugin imports it in the summary of a failed run, where CPython 3.11 may die parsing it (gh-106905)
import hypothesis

pytest_plugins = ["tests.support.servers", "tests.support.stack", "tests.support.system"]

# the same examples in every run, so that a change is judged by itself; HYPOTHESIS_PROFILE=explore looks for new ones
hypothesis.settings.register_profile("signalbox", deadline=None, derandomize=True)
hypothesis.settings.register_profile("explore", deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "signalbox"))
