"""What routes of every service ask for: the parts of the process, who calls, and an answer that is kept."""

from typing import Annotated, cast

from fastapi import Depends, Request

from libs.chassis.idempotency import Asked, asked
from libs.chassis.resources import Resources
from libs.chassis.tokens import Caller, Role, require


async def resources_of(request: Request) -> Resources:
    """The parts of this process. Async, or FastAPI would ask for them in a thread."""
    return cast(Resources, request.app.state.resources)


Parts = Annotated[Resources, Depends(resources_of)]
AgentOrAbove = Annotated[Caller, Depends(require(Role.AGENT, Role.SYSTEM))]
LeadOrAbove = Annotated[Caller, Depends(require(Role.LEAD, Role.SYSTEM))]
System = Annotated[Caller, Depends(require(Role.SYSTEM, Role.ADMIN))]
Admin = Annotated[Caller, Depends(require(Role.ADMIN))]
AskedOnce = Annotated[Asked, Depends(asked)]
