"""The export."""

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from services.intake.api.asking import LeadOrAbove, Parts
from services.intake.export import export_messages

router = APIRouter(prefix="/v1")


@router.get(
    "/export/messages",
    tags=["export"],
    response_class=StreamingResponse,
    responses={200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}, "description": "The lines"}},
)
async def export(caller: LeadOrAbove, parts: Parts) -> StreamingResponse:
    """Every message there is as JSON lines, those of a ticket in order; no notes, and nothing a stranger wrote whom
    nobody accepted but that there is something (`held`).
    """
    return StreamingResponse(export_messages(parts.database), media_type="application/x-ndjson")
