"""`/logging`: what the server's log lines hold, changed while it runs."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal, TypeAlias

from pydantic import BaseModel, Field, StrictBool

from mcpp.api.bodies import Body
from mcpp.api.problems import documented
from mcpp.api.routes import Routes
from mcpp.api.services import FromServices, LogControl

router = Routes(prefix="/logging", tags=["system"])

Level: TypeAlias = Literal["debug", "info", "warning", "error"]


class Logging(BaseModel):
    """What log lines hold now."""

    level: Level = Field(description="Lines of this level and of the graver ones are written.")
    payloads: bool = Field(description="Message lines hold the whole OCPP payload, secrets masked.")


class WantedLogging(Body):
    """What log lines hold from now on; what isn't given stays as it is. A restart goes back to the settings."""

    level: Level | None = None
    payloads: StrictBool | None = None


@router.get("", response_model=Logging)
async def get_logging(services: FromServices) -> Logging:
    """What log lines hold now."""
    return _logging(services.log)


@router.put("", response_model=Logging, responses=documented(HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
async def put_logging(services: FromServices, wanted: WantedLogging) -> Logging:
    """Change the log's level, or whether message lines hold payloads, until the server ends."""
    services.log.change(level=wanted.level, payloads=wanted.payloads)
    return _logging(services.log)


def _logging(log: LogControl) -> Logging:
    return Logging.model_validate({"level": str(log.level), "payloads": log.payloads})
