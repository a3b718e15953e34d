"""What the chargers of a crowd say, in OCPP 1.6 and in 2.0.1 and 2.1."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

from tests.campaigns.crowd import Charger, Place, Session, spelled


class Charger16(Charger):
    """One that speaks OCPP 1.6."""

    subprotocol = "ocpp1.6"
    places = ((0, 1), (0, 2))

    def _boot(self) -> dict[str, Any]:
        return {"chargePointVendor": "Acme", "chargePointModel": "One", "firmwareVersion": "1.0"}

    def _answer(self, message_id: str, action: str, payload: dict[str, Any]) -> list[Any]:
        return [4, message_id, "NotSupported", "", {}]

    def _start(self, place: Place) -> None:
        self._status(place, "Preparing")
        session = self._begin(place)
        payload = {
            "connectorId": place[1],
            "idTag": session.tag,
            "meterStart": session.meter_start,
            "timestamp": spelled(session.started_at),
        }

        def answered(answer: dict[str, Any]) -> None:
            session.transaction_ids.append(answer["transactionId"])
            session.is_start_answered = session.is_tag_answered = True

        self._put("StartTransaction", lambda: payload, answered)
        self._status(place, "Charging")

    def _sample(self, session: Session) -> None:
        at, value = self._tick(), str(int(self._register[session.place]))
        sample = {"value": value, "measurand": "Energy.Active.Import.Register", "unit": "Wh"}

        def payload() -> dict[str, Any]:
            values = [{"timestamp": spelled(at), "sampledValue": [sample]}]
            return {
                "connectorId": session.place[1],
                "transactionId": session.transaction_ids[-1],
                "meterValue": values,
            }

        self._put("MeterValues", payload, lambda _: self._valued(session, (at, value)))

    def _stop(self, session: Session) -> None:
        self._end(session)

        def payload() -> dict[str, Any]:
            return {
                "transactionId": session.transaction_ids[-1],
                "meterStop": session.meter_stop,
                "timestamp": spelled(session.stopped_at),
                "idTag": session.tag,
                "reason": "Local",
            }

        def answered(_: dict[str, Any]) -> None:
            session.is_stop_answered = True

        self._put("StopTransaction", payload, answered)
        self._status(session.place, "Available")

    def _status(self, place: Place, status: str) -> None:
        at = self._tick()
        payload = {"connectorId": place[1], "errorCode": "NoError", "status": status, "timestamp": spelled(at)}

        def answered(_: dict[str, Any]) -> None:
            self.told_status_at[place] = at

        self._put("StatusNotification", lambda: payload, answered)

    def _event(self) -> None:
        text = f"{self.identity} {self._number()}"
        payload = {"type": "SettingSystemTime", "timestamp": spelled(self._tick()), "techInfo": text}
        self._put("SecurityEventNotification", lambda: payload, lambda _: self.events.append(text))


class Station201(Charger):
    """One that speaks OCPP 2.0.1, with two EVSEs of one connector each and some habits of real ones."""

    subprotocol = "ocpp2.0.1"
    places = ((1, 1), (2, 1))

    def __init__(
        self, identity: str, port: Callable[[], int], random: Random, *, pace: float, visit: float | None = None
    ) -> None:
        super().__init__(identity, port, random, pace=pace, visit=visit)
        self._counts = random.random() < 0.7
        """Else its seqNo is always 0."""
        self._repeats_evse = random.random() < 0.5
        self._repeats_begin = random.random() < 0.3
        """Its ends carry the samples of the beginning, too."""
        self._tells_token_late = random.random() < 0.5
        self._seq_nos: dict[str, int] = {}

    def _boot(self) -> dict[str, Any]:
        return {"reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "Two", "firmwareVersion": "1"}}

    def _answer(self, message_id: str, action: str, payload: dict[str, Any]) -> list[Any]:
        if action != "GetTransactionStatus":
            return [4, message_id, "NotSupported", "", {}]
        is_ongoing = any(session.own_id == payload.get("transactionId") for session in self._running.values())
        return [3, message_id, {"ongoingIndicator": is_ongoing, "messagesInQueue": bool(self._queue)}]

    def _start(self, place: Place) -> None:
        self._status(place, "Occupied")
        session = self._begin(place, f"{self.identity}-{self._number()}")

        def answered() -> None:
            session.is_start_answered = True
            session.is_tag_answered = not self._tells_token_late

        value = (session.started_at, str(session.meter_start), "Transaction.Begin")
        tag = None if self._tells_token_late else session.tag
        self._told(session, "Started", "CablePluggedIn", value[0], value, state="EVConnected", tag=tag, then=answered)
        if self._tells_token_late:

            def tag_answered() -> None:
                session.is_tag_answered = True

            at = self._tick()
            self._told(session, "Updated", "Authorized", at, tag=session.tag, then=tag_answered)
        self._told(session, "Updated", "ChargingStateChanged", self._tick(), state="Charging")

    def _sample(self, session: Session) -> None:
        at = self._tick()
        value = (at, str(int(self._register[session.place])), "Sample.Periodic")
        self._told(session, "Updated", "MeterValuePeriodic", at, value, state="Charging")

    def _stop(self, session: Session) -> None:
        self._end(session)

        def answered() -> None:
            session.is_stop_answered = True

        begin = (session.started_at, str(session.meter_start), "Transaction.Begin")
        end = (session.stopped_at, str(session.meter_stop), "Transaction.End")
        values = (begin, end) if self._repeats_begin else (end,)
        self._told(session, "Ended", "EVDeparted", session.stopped_at, *values, state="Idle", then=answered)
        self._status(session.place, "Available")

    def _told(
        self,
        session: Session,
        kind: str,
        trigger: str,
        at: int,
        *values: tuple[int, str, str],
        state: str | None = None,
        tag: str | None = None,
        then: Callable[[], None] = lambda: None,
    ) -> None:
        """An event; each value has its time, its register and its context."""
        assert session.own_id is not None
        seq_no = self._seq_nos[session.own_id] = self._seq_nos.get(session.own_id, -1) + 1
        information = {"transactionId": session.own_id}
        if state is not None:
            information["chargingState"] = state
        if kind == "Ended":
            information["stoppedReason"] = "EVDisconnected"
        payload: dict[str, Any] = {
            "eventType": kind,
            "timestamp": spelled(at),
            "triggerReason": trigger,
            "seqNo": seq_no if self._counts else 0,
            "transactionInfo": information,
        }
        if kind == "Started" or self._repeats_evse:
            payload["evse"] = {"id": session.place[0], "connectorId": session.place[1]}
        if tag is not None:
            payload["idToken"] = {"idToken": tag, "type": "ISO14443"}
        if values:
            payload["meterValue"] = [_meter_value(*value) for value in values]

        def answered(_: dict[str, Any]) -> None:
            session.events.append(at)
            for measured_at, value, _context in values:
                if (measured_at, value) not in session.values[:1]:
                    self._valued(session, (measured_at, value))
            then()

        self._put("TransactionEvent", lambda: payload, answered)

    def _status(self, place: Place, status: str) -> None:
        at = self._tick()
        payload = {
            "evseId": place[0],
            "connectorId": place[1],
            "connectorStatus": status,
            "timestamp": spelled(at),
        }

        def answered(_: dict[str, Any]) -> None:
            self.told_status_at[place] = at

        self._put("StatusNotification", lambda: payload, answered)

    def _event(self) -> None:
        number = self._number()
        text, at = f"{self.identity} {number}", spelled(self._tick())
        event = {
            "eventId": number,
            "timestamp": at,
            "trigger": "Alerting",
            "actualValue": "true",
            "techInfo": text,
            "eventNotificationType": "HardWiredNotification",
            "component": {"name": "ChargingStation"},
            "variable": {"name": "Problem"},
        }
        payload = {"generatedAt": at, "seqNo": 0, "tbc": False, "eventData": [event]}
        self._put("NotifyEvent", lambda: payload, lambda _: self.events.append(text))


class Station21(Station201):
    """The same in OCPP 2.1."""

    subprotocol = "ocpp2.1"


def _meter_value(at: int, value: str, context: str) -> dict[str, Any]:
    sample = {"value": int(value), "measurand": "Energy.Active.Import.Register", "context": context}
    return {"timestamp": spelled(at), "sampledValue": [sample]}


_SPEAKERS: Final = (Charger16, Station201, Station21)


def speaker(number: int) -> type[Charger]:
    """Of a mixed fleet, by its number in it."""
    return _SPEAKERS[number % len(_SPEAKERS)]
