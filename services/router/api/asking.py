"""What the routes have in common: who asks, and with what."""

from typing import Annotated, cast

from fastapi import Depends, Request

from libs.chassis.idempotency import Asked, asked
from libs.chassis.resources import Resources
from libs.chassis.tokens import Caller, Role, require


def resources_of(request: Request) -> Resources:
    """The parts of this process."""
    return cast(Resources, request.app.state.resources)


Parts = Annotated[Resources, Depends(resources_of)]
AgentOrAbove = Annotated[Caller, Depends(require(Role.AGENT, Role.SYSTEM))]
LeadOrAbove = Annotated[Caller, Depends(require(Role.LEAD, Role.SYSTEM))]
AskedOnce = Annotated[Asked, Depends(asked)]


def actor_of(caller: Caller) -> str:
    """Who did it, as facts name them."""
    return f"agent:{caller.agent}" if caller.agent is not None else caller.subject
