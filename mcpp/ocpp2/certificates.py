"""Certificates as OCPP 2.0.1 and 2.1 have them (blocks A and M): the CALLs of ours, and what an answer means."""

from __future__ import annotations

from mcpp.csms.certificates import Verdict
from mcpp.ocpp2.widening import Calls


class Ocpp2CertificateOperations:
    """Implements `mcpp.csms.certificates.CertificateOperations`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def install_root(self, charge_point_id: str, certificate: str) -> Verdict:
        """InstallCertificate of a CSMSRootCertificate (M05)."""
        raise NotImplementedError

    async def ask_for_request(self, charge_point_id: str) -> Verdict:
        """TriggerMessage of SignChargingStationCertificate (A02)."""
        raise NotImplementedError

    async def deliver(self, charge_point_id: str, certificate: str) -> Verdict:
        """CertificateSigned (A02)."""
        raise NotImplementedError

    async def raise_profile(self, charge_point_id: str, profile: int) -> Verdict:
        """SetNetworkProfile and NetworkConfigurationPriority (B09, B10)."""
        raise NotImplementedError

    async def restart(self, charge_point_id: str) -> Verdict:
        """Reset, OnIdle (B12)."""
        raise NotImplementedError
