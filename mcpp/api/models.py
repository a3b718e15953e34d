"""What the API answers: its schemas, which pick from what `mcpp.reads` returns the fields that they name."""

from __future__ import annotations

from typing import Annotated, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, JsonValue

from mcpp.domain.authorization import AuthorizationStatus
from mcpp.reads.shown_state import ShownState
from mcpp.reads.times import Time
from mcpp_generated.db.enums import (
    Availability,
    IdTagStatus,
    Implausible,
    MessageRole,
    ReportKind,
    ReservationState,
    StopOrigin,
    UnmatchedKind,
)

Item = TypeVar("Item")

EvseId = Annotated[int | None, BeforeValidator(lambda number: number or None)]
"""Of the EVSE that a connector is one of; null where the OCPP version knows connectors only (1.6)."""

_ANY_EVSE: Final = "Of the EVSE that it is one of; null where the OCPP version knows connectors only (1.6)."

A_NUMBER: Final = "a number"
"""Marks a text that is a number, as a charger has sent it: a spreadsheet shall calculate with it."""


class Connector(BaseModel):
    """A connector of a charge point; connector 0 is the charge point as a whole."""

    connector_id: int
    evse_id: EvseId = Field(description=_ANY_EVSE)
    state: ShownState = Field(description="How it is shown: one word, out of its status and all else that is known.")
    status: str | None = Field(
        description="As last reported, in the words of OCPP 1.6 (ChargePointStatus) whatever the version.",
        examples=["Charging"],
    )
    reported_status: str | None = Field(
        description="The charger's own word, where the status is made of it; null in OCPP 1.6.", examples=["Occupied"]
    )
    error_code: str | None = Field(examples=["NoError"])
    status_at: Time | None = Field(description="By the charger's clock.")
    status_began_at: Time | None = Field(
        description="Since when it has this status without a break, by this server's clock."
    )
    transaction_id: int | None = Field(description="Of the transaction that runs on it.")
    ocpp_transaction_id: str | None = Field(description="The charger's own id of it; null in OCPP 1.6.")
    power_w: float | None = Field(
        description="W, of the whole connector. This and what follows: null unless a session runs on a connected "
        "charger and the value is known."
    )
    current_a: dict[str, float] | None = Field(
        description="A, by phase; total is the connector's, the sum where the charger sends none.",
        examples=[{"total": 48.0, "L1": 16.0, "L2": 16.0, "L3": 16.0}],
    )
    voltage_v: dict[str, float] | None = Field(
        description="V, by phase or between two; total is what the charger sends without a phase.",
        examples=[{"L1": 230.1, "L2": 231.4, "L3": 229.8}],
    )
    soc_percent: float | None = Field(description="State of charge of the car's battery.", ge=0, le=100)
    measured_at: Time | None = Field(description="The newest of these values, by the charger's clock.")


class ChargePoint(BaseModel):
    """A charge point, as far as it has described itself."""

    id: str = Field(
        validation_alias="charge_point_id", description="The identity that it connects with.", examples=["CP-17"]
    )
    connected: bool
    ocpp_version: str | None = Field(description="Of its last connection.", examples=["1.6"])
    display_name: str | None
    rated_power_w: int | None = Field(description="What each connector can deliver at most, as an operator says.")
    vendor: str | None
    model: str | None
    serial_number: str | None
    firmware_version: str | None
    security_profile: int | None = Field(description="The least that it must use; null: as the setting says for all.")
    highest_profile: int = Field(description="That it has used: a lower one no longer lets it in.", ge=0, le=3)
    used_profile: int | None = Field(description="That its connection uses now; null where it has none.")
    certificate_serial: str | None = Field(
        description="What its certificate may have as CN in place of its identity, as an operator says."
    )
    connectors: list[Connector]
    auto_start: bool | None = Field(description="null: the global setting holds.")
    last_connect_at: Time | None
    last_disconnect_at: Time | None
    last_boot_at: Time | None
    last_heartbeat_at: Time | None
    last_status_at: Time | None
    last_meter_values_at: Time | None
    last_tx_start_at: Time | None
    last_tx_stop_at: Time | None
    last_error_at: Time | None
    ocpp_versions: list[str] | None = Field(
        description="Those that it may speak, as an operator says; null: all that the server speaks.",
        examples=[["1.6", "2.0.1"]],
    )


class Report(BaseModel):
    """How far a charge point is with diagnostics, firmware or a log, as it last reported."""

    kind: ReportKind
    status: str = Field(examples=["Uploaded"])
    request_id: int | None = Field(description="Of the command that asked for it, where it has one.")
    reported_at: Time


class OrderedAvailability(BaseModel):
    """What a connector was last ordered to be, and agreed to."""

    connector_id: int
    evse_id: EvseId = Field(description=_ANY_EVSE)
    availability: Availability


class ChargePointDetail(ChargePoint):
    """A charge point, with what was last ordered and reported."""

    ordered_availability: list[OrderedAvailability]
    reports: list[Report]
    local_list_version: int | None = Field(description="Last known; 0 for an empty list, -1 where it knows no lists.")


class ConfigurationKey(BaseModel):
    """A configuration key of a charge point, as last known."""

    key: str = Field(
        description="Of OCPP 2.x: the key of a variable, as in `/charge-points/{id}/variables`.",
        examples=["HeartbeatInterval", "OCPPCommCtrlr.HeartbeatInterval"],
    )
    value: str | None = Field(description="null where it is secret, or has none.")
    readonly: bool
    known_at: Time


class Correction(BaseModel):
    """What a person says that a transaction took."""

    energy_wh: int = Field(description="Wh")
    note: str
    who: str
    corrected_at: Time


class Transaction(BaseModel):
    """A transaction as stored."""

    transaction_id: int
    charge_point_id: str
    connector_id: int
    id_tag: str = Field(description="Empty where the charger has told none, or not yet (since OCPP 2.0).")
    meter_start: int | None = Field(description="Wh; null where the charger has told none (since OCPP 2.0).")
    meter_stop: int | None = Field(description="Wh")
    energy_wh: int | None = Field(
        description="Wh, never negative: a correction, else as booked, 0 where that is implausible; so far while it "
        "runs, null then where it isn't known."
    )
    started_at: Time
    stopped_at: Time | None
    stop_reason: str | None = Field(examples=["EVDisconnected"])
    stop_origin: StopOrigin | None = Field(description="Who ended it, by the database.")
    evidence: dict[str, JsonValue] | None = Field(description="What a recovered stop was taken from.")
    energy_implausible: bool = Field(
        description="No reading can be believed: look at it before billing; it can be corrected."
    )
    reason: Implausible | None = Field(description="Why its energy is implausible.")
    original_energy_wh: int | None = Field(description="Wh as booked, where a correction counts.")
    correction: Correction | None = Field(description="What a person says that it took, the newest of it.")
    session_correlation_id: str = Field(description="On every log line of the session, too.")
    power_w: float | None = Field(
        description="W, of its connector now; null once it has ended, while its charger is offline and where it isn't "
        "known."
    )
    duration_s: int = Field(
        ge=0,
        description="Seconds: of one that runs until now by the server's clock, from its charger's start where that "
        "can be, else from its receipt; of one that has ended by the charger's clock, 0 where that was set back.",
    )
    evse_id: int | None = Field(description=_ANY_EVSE)
    ocpp_transaction_id: str | None = Field(description="The charger's own id; null in OCPP 1.6.")


class Sample(BaseModel):
    """One sampled value of a transaction."""

    timestamp: Time
    measurand: str = Field(examples=["Energy.Active.Import.Register"])
    phase: str | None
    unit: str | None = Field(examples=["Wh"])
    context: str | None = Field(examples=["Sample.Periodic"])
    location: str | None = Field(examples=["Outlet"])
    format: str | None = Field(examples=["Raw"])
    value: Annotated[str, A_NUMBER] = Field(description="As sent; signed data stays text.")


class IdTag(BaseModel):
    """A stored id tag."""

    id_tag: str = Field(description="As written; letter case doesn't matter where it is compared.")
    status: IdTagStatus
    expiry_date: Time | None
    parent_id_tag: str | None = Field(description="The group it belongs to (OCPP 1.6 §3.4).")
    note: str | None
    token_type: str | None = Field(description="As what it has to be presented, where the version tells (2.0.1).")


class UnknownIdTag(BaseModel):
    """A card that was presented at a charge point and isn't stored, or was refused."""

    id_tag: str = Field(description="As it was presented last; its first 1024 bytes.")
    charge_point_id: str
    status: AuthorizationStatus = Field(description="The last verdict.", examples=["Invalid"])
    times: int = Field(description="How often it was presented, in Authorize and StartTransaction.")
    first_at: Time
    last_at: Time


class Reservation(BaseModel):
    """A reservation that its charge point accepted."""

    reservation_id: int
    charge_point_id: str
    connector_id: int = Field(description="0 for any connector, of its EVSE where it names one.")
    id_tag: str
    parent_id_tag: str | None
    expiry_date: Time
    status: Literal[
        ReservationState.ACCEPTED, ReservationState.USED, ReservationState.CANCELLED, ReservationState.EXPIRED
    ]
    created_at: Time
    transaction_id: int | None = Field(description="Of the transaction that used it.")
    evse_id: EvseId = Field(description="null where the OCPP version knows connectors only (1.6), or for any EVSE.")


class NamedProfile(BaseModel):
    """A stored charging profile and its name."""

    name: str
    profile: dict[str, JsonValue]
    ocpp_version: str = Field(
        description="The oldest OCPP version whose profile it is: chargers of another may not take it."
    )


class Unmatched(BaseModel):
    """A stop or meter values that belong to no known transaction."""

    id: int
    charge_point_id: str
    kind: UnmatchedKind
    ocpp_version: str = Field(description="That the payload is in.")
    claimed_transaction_id: int = Field(description="As the charger gave it.")
    payload: dict[str, JsonValue] = Field(description="The message, in OCPP's spelling.")
    received_at: Time


class Departure(BaseModel):
    """What a charge point departed in from OCPP's contract, by rule and place, and what was made of it."""

    vendor: str | None = Field(description="As it said at its last boot before.", examples=["Acme"])
    model: str | None
    firmware_version: str | None = Field(
        description="That it had then: what an older firmware did isn't counted as the newer one's."
    )
    message: MessageRole = Field(
        description="In a CALL of its own, in its answer to one of ours, or in neither, such as a handshake."
    )
    action: str | None = Field(description="null where it was in no message of an action.", examples=["MeterValues"])
    rule: str = Field(
        description="By which it was recognised, as in mcpp_contract_deviations_total; `refused`: not understood.",
        examples=["number_for_text"],
    )
    field: str | None = Field(
        description="Where, without list indexes; null where it was the message as a whole.",
        examples=["meterValue[].sampledValue[].value"],
    )
    count: int
    first_at: Time
    last_at: Time
    example: str | None = Field(
        description="What came last, as JSON: cut, with secrets masked; null where it isn't known.", examples=["230.1"]
    )
    taken_as: str | None = Field(
        description="What that was taken as; null where it counted as absent.", examples=['"230.1"']
    )


class SharedDeparture(Departure):
    """The same of all charge points of one vendor, model and firmware; the example is the last of all."""

    charge_points: int = Field(description="How many of them depart in this.")


NextCursor = Annotated[str | None, Field(description="For the parameter cursor, to get what follows; null at the end.")]


class Page(BaseModel, Generic[Item]):
    """A page of a list."""

    items: list[Item]
    next_cursor: NextCursor


class ChargePointPage(Page[ChargePoint]):
    """Charge points by identity."""


class ConfigurationPage(Page[ConfigurationKey]):
    """Configuration keys in their order."""


class TransactionPage(Page[Transaction]):
    """Transactions, the newest first."""


class SamplePage(Page[Sample]):
    """Samples in the order of time, then as sent."""


class IdTagPage(Page[IdTag]):
    """Id tags in their order, whatever their letter case."""


class UnknownIdTagPage(Page[UnknownIdTag]):
    """Cards that aren't stored or were refused, those presented last first."""


class ReservationPage(Page[Reservation]):
    """Reservations, newest first."""


class ChargingProfilePage(Page[NamedProfile]):
    """Charging profiles by name."""


class UnmatchedPage(Page[Unmatched]):
    """What belongs to no known transaction, the newest first."""


class DeparturePage(Page[Departure]):
    """What a charge point departed in, by firmware and place."""


class SharedDeparturePage(Page[SharedDeparture]):
    """What charge points departed in, by vendor, model, firmware and place."""


class Health(BaseModel):
    """The process is alive."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Whether the server can do its work."""

    status: Literal["ok", "unavailable"]
    checks: dict[str, str] = Field(
        description="Each check with `ok` or what is wrong.", examples=[{"database": "ok", "schema": "ok"}]
    )
    clock: Literal["ok", "wrong"] = Field(
        description="`wrong` while the machine's clock is behind times that were told already; the server goes on by a "
        "clock of its own."
    )
