"""/v1/rules: the rules in force."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from libs.chassis.asking import AgentOrAbove, Parts
from services.router.configuration import ROUTING, RouterConfiguration

router = APIRouter(prefix="/v1/rules", tags=["rules"])


class Rules(BaseModel):
    """The rules in force. engine: how the rule engine fares, by stage."""

    version: int = Field(description="Version of the configuration")
    fingerprint: str = Field(description="Short name of exactly these rules; decisions carry it")
    source: Any = Field(description="routing.yaml as it was applied")
    engine: dict[str, dict[str, Any]]


@router.get("")
async def get_rules(caller: AgentOrAbove, parts: Parts) -> Rules:
    """Version, source and health of the rules."""
    current = parts.configuration.current
    parsed: RouterConfiguration = current.parsed
    stages = {"triage": parsed.engine.triage, "assignment": parsed.engine.assignment}
    health = {
        name: {
            "rules": len(stage.rules),
            "degraded": stage.health.degraded,
            "rebuilds": stage.health.rebuilds,
            "decided_by_reference": stage.health.by_reference,
        }
        for name, stage in stages.items()
    }
    return Rules(
        version=current.version,
        fingerprint=parsed.engine.version,
        source=current.files.get(ROUTING),
        engine=health,
    )
