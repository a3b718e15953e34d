"""What the API answers of a charge point's device model (OCPP 2.x)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, JsonValue

from mcpp.api.models import A_NUMBER, Page
from mcpp.reads.times import Time
from mcpp_generated.db.enums import DeviceEventKind, DeviceReportKind, Mutability, VariableAttribute

_KEY = (
    "`Component[instance]@evse.connector.Variable[instance]#Attribute`, without what it doesn't have and without "
    "`#Actual`; a sign of these in a name is written as in a URL, `%2E` for a dot."
)


class _OfVariable(BaseModel):
    """What names a variable."""

    component: str = Field(examples=["Connector"])
    component_instance: str | None
    evse_id: int | None = Field(description="null: of the charge point as a whole.")
    connector_id: int | None = Field(description="null: of the EVSE as a whole.")
    variable: str = Field(examples=["AvailabilityState"])
    variable_instance: str | None


class Variable(_OfVariable):
    """An attribute of a variable, as last known; null: the charge point doesn't tell it."""

    key: str = Field(description=_KEY, examples=["Connector@1.2.AvailabilityState"])
    attribute: VariableAttribute
    value: str | None = Field(description="null where it is secret, or has none.", examples=["Occupied"])
    mutability: Mutability | None
    data_type: str | None = Field(examples=["OptionList"])
    unit: str | None
    min_limit: Annotated[str | None, A_NUMBER]
    max_limit: Annotated[str | None, A_NUMBER]
    max_elements: int | None = Field(description="Of a list.")
    values_list: str | None = Field(description="What it may be, comma-separated.")
    supports_monitoring: bool | None
    persistent: bool | None = Field(description="It survives a reboot.")
    constant: bool | None = Field(description="It never changes while the charge point runs.")
    known_at: Time


class Monitor(_OfVariable):
    """A monitor, which makes a charge point tell of a variable."""

    monitor_id: int
    key: str = Field(description="Of the variable.", examples=["EVSE@1.Power"])
    type: str = Field(examples=["UpperThreshold"])
    value: Annotated[str, A_NUMBER]
    severity: int = Field(description="Of its events: from 0, danger, to 9.")
    transaction_only: bool
    origin: str | None = Field(description="Who made it.", examples=["CustomMonitor"])
    known_at: Time


class DeviceEvent(BaseModel):
    """What happened in the devices of a charge point. Names are null where it isn't about a variable."""

    id: int
    kind: DeviceEventKind
    event_id: int = Field(description="As the charge point counts them; 0 where it doesn't.")
    occurred_at: Time = Field(description="By the charger's clock; this server's where it told no time.")
    received_at: Time
    subject: str = Field(description="What it is about; of a variable its key.", examples=["Connector@1.2.Problem"])
    component: str | None
    component_instance: str | None
    evse_id: int | None
    connector_id: int | None
    variable: str | None
    variable_instance: str | None
    value: str | None = Field(description="null where it is secret, or has none.")
    trigger: str | None = Field(examples=["Alerting"])
    cause: int | None = Field(description="The event_id of the event that caused it.")
    severity: int | None = Field(description="From 0, danger, to 9; null where nobody said.")
    cleared: bool = Field(description="What was wrong is no more.")
    tech_code: str | None
    tech_info: str | None
    monitor_id: int | None
    origin: str | None = Field(description="Who made the monitor.", examples=["HardWiredNotification"])
    ocpp_transaction_id: str | None
    details: dict[str, JsonValue] = Field(description="What else the charge point said, in OCPP's spelling.")


class DeviceReport(BaseModel):
    """A report that comes in chunks under the id of its request."""

    kind: DeviceReportKind
    request_id: int
    requested_at: Time | None = Field(description="When the charge point agreed to send it; null: not known.")
    first_at: Time | None = Field(description="When its first chunk came.")
    last_at: Time | None
    full: bool = Field(description="Of all there is: what it doesn't name is forgotten once it is here without gaps.")
    complete: bool = Field(description="Its last chunk came.")


class Gap(BaseModel):
    """Numbers that no chunk of a report had."""

    first: int
    last: int


class DeviceReportDetail(DeviceReport):
    """A report with what its chunks say together."""

    chunks: int
    gaps: list[Gap] = Field(description="Empty where the charge point doesn't number its chunks.")
    content: dict[str, JsonValue] = Field(
        description="Lists and texts of the chunks one behind the other, in OCPP's spelling, secrets masked."
    )


class VariablePage(Page[Variable]):
    """Variables by key."""


class MonitorPage(Page[Monitor]):
    """Monitors by their ids."""


class DeviceEventPage(Page[DeviceEvent]):
    """Events, the newest first."""


class DeviceReportPage(Page[DeviceReport]):
    """Reports, the newest request first."""
