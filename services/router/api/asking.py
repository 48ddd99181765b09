"""Who asks."""

from libs.chassis.tokens import Caller


def actor_of(caller: Caller) -> str:
    """Who did it, as facts name them."""
    return f"agent:{caller.agent}" if caller.agent is not None else caller.subject
