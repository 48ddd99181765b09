"""Single messages: accept one that waits, split one off."""

from fastapi import APIRouter, Response

from libs.chassis.idempotency import Answer, idempotent
from services.intake.api.answers import Written
from services.intake.api.asking import AgentOrAbove, AskedOnce, Parts, answering_refusals, by, etag, locked
from services.intake.api.tickets import described
from services.intake.correspondence import Correspondence
from services.intake.desk import Desk
from services.intake.domain.decision import Decision
from services.intake.reading import ticket_id
from services.intake.store import Store

router = APIRouter(prefix="/v1/tickets/{ticket}/messages/{message}", tags=["tickets"])


@router.post("/accept", response_model=Written)
async def accept(ticket: str, message: str, caller: AgentOrAbove, asked: AskedOnce, parts: Parts) -> Response:
    """Make public what somebody wrote who took no part in the ticket; from now on they do (behaviour H-2).

    409 for a message that does not wait, or on a closed ticket.
    """
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            store = Store(transaction)
            before = await locked(store, await ticket_id(transaction.connection, ticket))
            with answering_refusals():
                decision = await Correspondence(store, by(caller)).accept(before, message)
            once.answer = await _written(200, message, decision, store, Desk(store, parts.settings, by(caller)))
    return once.response()


@router.post("/split", status_code=201, response_model=Written)
async def split(ticket: str, message: str, caller: AgentOrAbove, asked: AskedOnce, parts: Parts) -> Response:
    """A ticket of its own for a message that speaks of something else; the answer is the new ticket (behaviour H-3).

    409 for a message that is not a customer's, or not public.
    """
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            store = Store(transaction)
            before = await locked(store, await ticket_id(transaction.connection, ticket))
            decision = await Correspondence(store, by(caller)).split(before, message)
            desk = Desk(store, parts.settings, by(caller))
            once.answer = await _written(201, decision.messages[-1].id, decision, store, desk)
    return once.response()


async def _written(status: int, message_id: str, decision: Decision, store: Store, desk: Desk) -> Answer:
    content = Written(message_id=message_id, ticket=await described(decision.ticket, store, desk))
    return Answer.of(status, content, etag=etag(decision.ticket))
