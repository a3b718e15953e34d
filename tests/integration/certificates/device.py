"""A charger that does its part of the security extension: keys, requests, certificates, and a security profile."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from pydantic import JsonValue
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.integration.field_notes.charger import RawCharger

PASSWORD = "a password of sixteen"

Key: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Replies: TypeAlias = Callable[[dict[str, Any]], JsonValue]
"""Makes the answer to a CALL from its payload; None: there is none."""


def make_csr(
    key: Key,
    common_name: str,
    organization: str | None = None,
    algorithm: hashes.SHA224 | hashes.SHA256 | None = None,
    *extensions: x509.ExtensionType,
) -> str:
    """A signing request as a charger makes it."""
    names = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization is not None:
        names.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    request = builder.sign(key, algorithm or hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


@dataclass
class Device:
    """What survives a reconnect and a restart of the charger."""

    identity: str = "CP-1"
    password: str | None = PASSWORD
    key: Key = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    root: str | None = None
    """Of the central system, as it was installed."""
    certificate: str | None = None
    security_profile: int = 1
    replies: dict[str, Replies] = field(default_factory=dict)
    """Answers in place of its own."""
    csr: str | None = None
    """What it asks with, in place of its own."""
    asks: bool = True
    """It sends a signing request where it's told to."""
    lacks: set[str] = field(default_factory=set)
    """Actions that it doesn't know."""
    subprotocol: str = "ocpp1.6"

    @property
    def last_of_a_roll_out(self) -> str:
        """The action after which it comes back by its higher security profile."""
        return "ChangeConfiguration"

    def signing_request(self) -> str:
        return self.csr or make_csr(self.key, self.identity)

    def reply(self, action: str, payload: dict[str, Any]) -> JsonValue:
        """Its answer to a CALL; None where it gives none."""
        if action in self.replies:
            return self.replies[action](payload)
        match action:
            case "InstallCertificate":
                assert payload["certificateType"] == "CentralSystemRootCertificate"
                self.root = payload["certificate"]
                return {"status": "Accepted"}
            case "ExtendedTriggerMessage":
                assert payload["requestedMessage"] == "SignChargePointCertificate"
                return {"status": "Accepted"}
            case "CertificateSigned":
                return {"status": "Accepted" if self.takes(payload["certificateChain"]) else "Rejected"}
            case "ChangeConfiguration" if payload["key"] == "SecurityProfile":
                if int(payload["value"]) == 3 and (self.root is None or self.certificate is None):
                    return {"status": "Rejected"}
                self.security_profile = int(payload["value"])
                return {"status": "Accepted"}
            case "Reset":
                return {"status": "Accepted"}
        return {"status": "NotSupported"}

    def is_told_to_ask(self, action: str, payload: dict[str, Any]) -> bool:
        """Whether a CALL has it send a signing request."""
        return action == "ExtendedTriggerMessage"

    def takes(self, chain: str) -> bool:
        """Whether it can use a certificate: of its own key, by the root that it knows, valid now."""
        certificate = x509.load_pem_x509_certificate(chain.encode())
        if certificate.public_key() != self.key.public_key():
            return False
        if self.root is not None:
            certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(self.root.encode()))
        if not certificate.not_valid_before_utc < datetime.now(UTC) < certificate.not_valid_after_utc:
            return False
        self.certificate = chain
        return True


@dataclass
class Station(Device):
    """As a Device, in the words of 2.x: its profiles are those of networks, in slots, by priority (B09, B10)."""

    subprotocol: str = "ocpp2.0.1"
    profiles: dict[int, int] = field(default_factory=lambda: {1: 2})
    """The security profile of each slot."""
    priority: str = "1"

    @property
    def last_of_a_roll_out(self) -> str:
        """The action after which it comes back by its higher security profile (A05.FR.05)."""
        return "Reset"

    def is_told_to_ask(self, action: str, payload: dict[str, Any]) -> bool:
        """Whether a CALL has it send a signing request (A02)."""
        return action == "TriggerMessage" and payload["requestedMessage"] == "SignChargingStationCertificate"

    def reply(self, action: str, payload: dict[str, Any]) -> JsonValue:
        """Its answer to a CALL; None where it gives none."""
        if action in self.replies:
            return self.replies[action](payload)
        match action:
            case "InstallCertificate":
                assert payload["certificateType"] == "CSMSRootCertificate"
                self.root = payload["certificate"]
                return {"status": "Accepted"}
            case "TriggerMessage":
                return {"status": "Accepted" if self.is_told_to_ask(action, payload) else "NotImplemented"}
            case "SetNetworkProfile":
                told = payload["connectionData"]
                if told["securityProfile"] == 3 and (self.root is None or self.certificate is None):
                    return {"status": "Rejected"}
                self.profiles[payload["configurationSlot"]] = told["securityProfile"]
                return {"status": "Accepted"}
            case "GetVariables":
                return {"getVariableResult": [self._get(asked) for asked in payload["getVariableData"]]}
            case "SetVariables":
                return {"setVariableResult": [self._set(asked) for asked in payload["setVariableData"]]}
            case "Reset":
                self.security_profile = self.profiles[int(self.priority.split(",")[0])]
                return {"status": "Accepted"}
        return super().reply(action, payload)

    def _get(self, asked: dict[str, Any]) -> dict[str, JsonValue]:
        named: dict[str, JsonValue] = {"component": asked["component"], "variable": asked["variable"]}
        if asked["variable"]["name"] != "NetworkConfigurationPriority":
            return {**named, "attributeStatus": "UnknownVariable"}
        return {**named, "attributeStatus": "Accepted", "attributeValue": self.priority}

    def _set(self, asked: dict[str, Any]) -> dict[str, JsonValue]:
        named: dict[str, JsonValue] = {"component": asked["component"], "variable": asked["variable"]}
        if asked["variable"]["name"] != "NetworkConfigurationPriority":
            return {**named, "attributeStatus": "UnknownVariable"}
        self.priority = asked["attributeValue"]
        return {**named, "attributeStatus": "RebootRequired"}


class DeviceCharger(RawCharger):
    """A device on one connection."""

    def __init__(self, device: Device, socket: ClientConnection) -> None:
        self.device = device
        self._asking: set[asyncio.Task[str]] = set()
        super().__init__(device.identity, socket, {})

    async def ask_for_certificate(self, csr: str | None = None) -> str:
        """A SignCertificate; gives the status that it's answered with."""
        answer = await self.say("SignCertificate", {"csr": csr or self.device.signing_request()})
        return str(answer["status"])

    async def _take(self, frame: list[Any]) -> None:
        if frame[0] == 2:
            action, payload = frame[2], frame[3]
            if action in self.device.lacks:
                self.answers.pop(action, None)
                await super()._take(frame)
                return
            reply = self.device.reply(action, payload)
            self.answers[action] = (lambda _: None) if reply is None else reply
            await super()._take(frame)
            told = self.device.is_told_to_ask(action, payload) and reply == {"status": "Accepted"}
            if told and self.device.asks:
                task = asyncio.create_task(self.ask_for_certificate())
                self._asking.add(task)
                task.add_done_callback(self._asked)
            return
        await super()._take(frame)

    def _asked(self, task: asyncio.Task[str]) -> None:
        self._asking.discard(task)
        if not task.cancelled():
            task.exception()  # the connection may have ended


@asynccontextmanager
async def on_line(device: Device, url: str, context: ssl.SSLContext | None = None) -> AsyncIterator[DeviceCharger]:
    """The device, connected for the block by its password, where it has one."""
    headers = {}
    if device.password is not None:
        credentials = f"{device.identity}:{device.password}".encode()
        headers["Authorization"] = "Basic " + base64.b64encode(credentials).decode()
    socket = await connect(
        f"{url}/{device.identity}",
        subprotocols=[Subprotocol(device.subprotocol)],
        additional_headers=headers,
        ping_interval=None,
        max_size=None,
        proxy=None,
        ssl=context,
    )
    charger = DeviceCharger(device, socket)
    try:
        yield charger
    finally:
        await charger.close()
