"""What the environment tells sla: nothing beyond what every service is told."""

from libs.chassis.settings import Settings


class SlaSettings(Settings):
    """The settings of sla."""
