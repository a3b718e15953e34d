"""Certificates of contracts, which vehicles show for plug and charge: are they of a trusted root, and still good?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mcpp.csms.contracts import CertificateId, ContractVerdict, Revocation, RevocationStatus, Shown

if TYPE_CHECKING:
    from cryptography import x509

    from mcpp.certificates.ocsp import OcspClient

_AT_ONCE: Final = 4
"""Certificates whose revocation is asked for of one contract; a chain has no more (ISO 15118-2)."""
_WAITING: Final = 16
"""Requests to responders at a time: chargers must not make us a crowd."""


class ContractChecks:
    """Implements `mcpp.csms.contracts.Contracts`. Belongs to one event loop."""

    def __init__(self, roots: Path | None, responders: Collection[str], now: Callable[[], datetime]) -> None:
        """`roots`: a directory with the trusted roots as .pem files, read anew when it changes; None: none is trusted.

        `responders`: hosts of OCSP responders that may have private addresses.
        """
        self._directory = roots
        self._responders = responders
        self._now = now
        self._client: OcspClient | None = None
        self._roots: list[x509.Certificate] = []
        self._seen: tuple[object, ...] | None = None
        self._turns = asyncio.Semaphore(_WAITING)

    async def revocation(self, certificate: CertificateId, urls: Sequence[str]) -> Revocation:
        """See Contracts."""
        answer = Revocation(RevocationStatus.FAILED, reason="no responder is named")
        for url in urls[:_AT_ONCE]:
            async with self._turns:
                answer = await self._ocsp().ask(certificate, url)
            if answer.status is not RevocationStatus.FAILED:
                break
        return answer

    async def verdict(self, shown: Shown) -> ContractVerdict:
        """See Contracts."""
        from mcpp.certificates.chains import BadChain  # with it comes cryptography: most servers have no contracts

        try:
            chain, asked = await asyncio.to_thread(self._check, shown)
        except BadChain as error:
            return error.verdict
        if not asked:
            # What leads to a root, and names no responder, can't have been revoked that way.
            return ContractVerdict.ACCEPTED if chain else ContractVerdict.MISSING
        answers = await asyncio.gather(*(self.revocation(certificate, [url]) for certificate, url in asked))
        if any(answer.status is RevocationStatus.REVOKED for answer in answers):
            return ContractVerdict.REVOKED
        signed = await asyncio.to_thread(self._are_signed, chain, list(zip(asked, answers, strict=True)))
        return ContractVerdict.ACCEPTED if signed else ContractVerdict.CHAIN_ERROR

    def _check(self, shown: Shown) -> tuple[list[x509.Certificate], list[tuple[CertificateId, str]]]:
        """The path of what was shown, empty where the charger has checked it, and whose revocation to ask for."""
        from mcpp.certificates.chains import BadChain, check_chain, contract_id, plain_id, read_chain
        from mcpp.certificates.responses import certificates_of

        asked = list(shown.certificates)[:_AT_ONCE]
        if shown.chain is None:
            return [], asked
        chain = read_chain(shown.chain)
        path = check_chain(chain, self._trusted(), self._now())
        if contract_id(path[0]) != plain_id(shown.contract_id):
            raise BadChain(ContractVerdict.MISSING, "it is another contract's")
        return path, asked or certificates_of(path)

    def _are_signed(
        self,
        chain: Iterable[x509.Certificate],
        answers: Iterable[tuple[tuple[CertificateId, str], Revocation]],
    ) -> bool:
        """Whether every certificate is good by a response that its authority has signed."""
        from mcpp.certificates.responses import is_signed

        known = [*self._trusted(), *chain]
        check = partial(is_signed, known=known, roots=self._trusted(), now=self._now())
        return all(
            answer.status is RevocationStatus.GOOD and check(certificate, answer.der)
            for (certificate, _), answer in answers
        )

    def _trusted(self) -> list[x509.Certificate]:
        """The roots as their files are now."""
        from mcpp.certificates.chains import read_roots

        if self._directory is None:
            return []
        files = tuple(
            (file.name, state.st_mtime_ns, state.st_size)
            for file in sorted(self._directory.glob("*.pem"))
            for state in (file.stat(),)
        )
        if files != self._seen:
            self._roots, self._seen = read_roots(self._directory), files
        return self._roots

    def _ocsp(self) -> OcspClient:
        if self._client is None:
            from mcpp.certificates.ocsp import OcspClient  # as cryptography

            self._client = OcspClient(self._responders, self._now)
        return self._client
