"""The router's settings: those that every service has."""

from libs.chassis.settings import Settings as EverySettings


class Settings(EverySettings):
    """Nothing of its own; `intake_url` is needed for assignment by hand."""
