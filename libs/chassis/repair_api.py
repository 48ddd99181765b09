"""`POST /v1/repair`: compare what was heard with what was said, now (decisions 3)."""

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from libs.chassis.asking import AskedOnce, Parts
from libs.chassis.idempotency import Answer, idempotent
from libs.chassis.repair import Repair
from libs.chassis.tokens import Role, require

router = APIRouter(tags=["operations"], dependencies=[Depends(require(Role.ADMIN))])


class Repaired(BaseModel):
    """How many facts had been missing in the shards that this process holds."""

    repaired: int


@router.post("/v1/repair", summary="Fetch what the stream did not bring", response_model=Repaired)
async def repair(request: Request, once_asked: AskedOnce, parts: Parts) -> Response:
    """Answers when every shard of this process was compared with every speaker it hears."""
    repairs: set[Repair] = request.app.state.repairs
    # outside of the transaction, which PostgreSQL would end meanwhile; whoever asks again finds less or nothing
    found = sum([await repair.compare(awaited=True) for repair in list(repairs)])
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, once_asked) as once:
        if once.answer is None:
            once.answer = Answer.of(200, Repaired(repaired=found))
    return once.response()
