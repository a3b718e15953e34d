"""`/certificates`: signing requests and certificates of the built-in authority; and the roll-out of profile 3."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Path, Query
from pydantic import BaseModel, Field, StrictInt
from starlette.responses import Response

from mcpp.api import models
from mcpp.api.bodies import Body, Printable, RowKey
from mcpp.api.failures import COMMAND_STATUSES
from mcpp.api.problems import conflict, documented, found, not_found
from mcpp.api.routes import Routes
from mcpp.api.services import ApiServices, FromServices
from mcpp.api.tables import AS_TABLE, FromTables
from mcpp.certificates.desk import LONGEST_WINDOW, SigningDesk
from mcpp.domain.certificates import no_certificate
from mcpp.domain.errors import no_charge_point
from mcpp.ocppj.errors import NotConnected
from mcpp.phrases import Phrase, as_is
from mcpp.reads import certificates as reads
from mcpp.reads.certificates import CertificateQuery, RollOutState
from mcpp.reads.paging import Page
from mcpp.reads.times import Time
from mcpp_generated.db import models as rows
from mcpp_generated.db.enums import Approval, CertificateState, RollOutStage, StepState

_MOST_MINUTES = int(LONGEST_WINDOW.total_seconds()) // 60


async def _desk_of(services: FromServices) -> SigningDesk:
    if services.certificates is None:
        raise conflict(Phrase("this server has no certificate authority"))
    return services.certificates


FromDesk = Annotated[SigningDesk, Depends(_desk_of)]

router = Routes(tags=["certificates"])

_DECIDED = documented(
    HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.SERVICE_UNAVAILABLE
)


class Certificate(BaseModel):
    """A signing request, with the certificate that was made of it."""

    id: int
    charge_point_id: str
    status: CertificateState = Field(
        description="pending: waits for an operator; approved: signed, and sent until the charger answers; issued: the "
        "charger has it; failed: it refused it; superseded: a newer one came in its place; rejected; revoked."
    )
    subject: str = Field(examples=["CN=CP-1,O=Example"])
    key_type: str = Field(examples=["EC P-256"])
    requested_at: Time
    approved_by: Approval | None
    decided_at: Time | None
    serial_number: str | None = Field(description="Hexadecimal digits, upper case.")
    issued_at: Time | None
    expires_at: Time | None
    answered_at: Time | None = Field(description="When the charger took or refused it.")
    revoked_at: Time | None
    reason: str | None = Field(description="Why it was rejected, revoked, refused or superseded.")
    certificate: str | None = Field(description="PEM.")


class CertificatePage(models.Page[Certificate]):
    """Signing requests and certificates, the newest first."""


class Reason(Body):
    """Why an operator decides so."""

    reason: Annotated[Printable, Field(min_length=1, max_length=255)] | None = None


class WantedWindow(Body):
    """How long requests are signed without an operator."""

    minutes: StrictInt = Field(ge=0, le=_MOST_MINUTES, description="0 closes the window.")


class Window(BaseModel):
    """Whether requests are signed without an operator."""

    open_until: Time | None = Field(description="null: it is closed.")


class Asked(BaseModel):
    """What a charger answered."""

    accepted: bool = Field(description="Whether it will send a request.")
    answer: str = Field(description="In its own words.", examples=["Accepted"])


class RollOutStep(BaseModel):
    """One step of a roll-out."""

    step: RollOutStage
    state: StepState
    answer: str | None = Field(description="What the charger said, or why it failed.")
    changed_at: Time


class RollOut(BaseModel):
    """How far the roll-out of security profile 3 to a charger is."""

    charge_point_id: str
    state: RollOutState
    steps: list[RollOutStep]


@router.get("/certificates", response_model=CertificatePage, responses=AS_TABLE)
async def list_certificates(
    services: FromServices, tables: FromTables, query: Annotated[CertificateQuery, Query()]
) -> Page[rows.Certificate] | Response:
    """Signing requests and certificates, the newest first."""
    return await tables.answer_page(query, CertificatePage, partial(reads.list_page, services.readers))


@router.get("/certificates/window", response_model=Window, responses=documented(HTTPStatus.CONFLICT))
async def get_certificate_window(desk: FromDesk) -> Window:
    """Until when requests are signed without an operator."""
    return Window(open_until=desk.window_until)


@router.post(
    "/certificates/window",
    response_model=Window,
    responses=documented(HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
)
async def open_certificate_window(desk: FromDesk, wanted: WantedWindow) -> Window:
    """Sign the good requests of all authenticated chargers for a while. A restart of the server ends it."""
    desk.open_window(timedelta(minutes=wanted.minutes))
    return Window(open_until=desk.window_until)


@router.get("/certificates/{id}", response_model=Certificate, responses=documented(HTTPStatus.NOT_FOUND))
async def get_certificate(services: FromServices, id: RowKey) -> rows.Certificate:  # noqa: A002
    """One of them."""
    return await _find(services, id)


@router.post("/certificates/{id}/approve", response_model=Certificate, responses=_DECIDED)
async def approve_certificate(services: FromServices, desk: FromDesk, id: RowKey) -> rows.Certificate:  # noqa: A002
    """Sign a request that waits. The charger gets the certificate at once, or when it connects."""
    await desk.approve(id)
    return await _find(services, id)


@router.post("/certificates/{id}/reject", response_model=Certificate, responses=_DECIDED)
async def reject_certificate(
    services: FromServices,
    desk: FromDesk,
    id: RowKey,  # noqa: A002
    why: Reason | None = None,
) -> rows.Certificate:
    """Refuse a request that waits."""
    await desk.reject(id, None if why is None else why.reason)
    return await _find(services, id)


@router.post(
    "/certificates/{id}/renew",
    response_model=Asked,
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, *COMMAND_STATUSES),
)
async def renew_certificate(services: FromServices, desk: FromDesk, id: RowKey) -> Asked:  # noqa: A002
    """Ask the charger now for the request that its next certificate is made of, as it's asked in time by itself.

    The request is signed as any: at once where the charger showed its certificate, else once somebody approves it.
    """
    certificate = await _find(services, id)
    if certificate.status is not CertificateState.ISSUED:
        state = as_is(certificate.status.value)
        raise conflict(Phrase("the certificate is {state}: only one that the charger has can be renewed", state=state))
    verdict = await desk.renew(certificate)
    if verdict is None:
        raise NotConnected(certificate.charge_point_id)
    return Asked(accepted=verdict.accepted, answer=verdict.word)


@router.post("/certificates/{id}/revoke", response_model=Certificate, responses=_DECIDED)
async def revoke_certificate(
    services: FromServices,
    desk: FromDesk,
    id: RowKey,  # noqa: A002
    why: Reason | None = None,
) -> rows.Certificate:
    """Let nobody in by a certificate any more; the charger's connection ends."""
    await desk.revoke(id, None if why is None else why.reason)
    return await _find(services, id)


_IDENTITY = Annotated[str, Path(description="The charger's identity.")]


@router.get(
    "/charge-points/{id}/security/roll-out",
    response_model=RollOut,
    tags=["charge points"],
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST),
)
async def get_roll_out(services: FromServices, id: _IDENTITY) -> reads.RollOut:  # noqa: A002
    """How far the roll-out of security profile 3 to a charger is."""
    return found(
        await reads.find_roll_out(services.readers, id),
        Phrase("security profile 3 was never rolled out to {id!r}", id=id),
    )


@router.post(
    "/charge-points/{id}/security/roll-out",
    response_model=RollOut,
    status_code=HTTPStatus.ACCEPTED,
    tags=["charge points"],
    responses=documented(
        HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.BAD_REQUEST
    ),
)
async def begin_roll_out(services: FromServices, desk: FromDesk, id: _IDENTITY) -> reads.RollOut:  # noqa: A002
    """Bring a charger to security profile 3: one that failed goes on from the step that failed.

    The charger must be connected and have shown its password or its certificate. GET tells how far it is.
    """
    if await services.charge_points.find_detail(id) is None:
        raise not_found(no_charge_point(id))
    return reads.roll_out_of(id, await desk.roll_out(id))


async def _find(services: ApiServices, certificate_id: int) -> rows.Certificate:
    return found(await reads.find(services.readers, certificate_id), no_certificate(certificate_id))
