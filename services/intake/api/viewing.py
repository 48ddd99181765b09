"""Who looks at views, and what they may do with one."""

from libs.chassis.errors import Forbidden
from libs.chassis.tokens import Caller, Role
from libs.chassis.transaction import Connection
from services.intake.saved_views import Scope, View, Viewer, queues_of


async def viewer_of(connection: Connection, caller: Caller) -> Viewer:
    """A caller as one who looks."""
    return Viewer(caller.agent, await queues_of(connection, caller.agent), sees_all=caller.role is not Role.AGENT)


def may_change(caller: Caller, view: View) -> bool:
    """One's own views, and with the role of a lead those that others see too."""
    if view.scope is Scope.PERSONAL:
        return view.owner == caller.agent
    return caller.role is not Role.AGENT


def check_change(caller: Caller, view: View) -> None:
    """Forbidden (403) unless the caller may change it."""
    if not may_change(caller, view):
        raise Forbidden("views of a queue and of everybody are set up by leads")
