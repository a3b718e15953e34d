"""Why a charger's TLS handshake failed: OpenSSL's codes in words for people.

What isn't here is told by OpenSSL's own word for it, which pages quote. Certificates are judged by RFC 5280; the alerts
by which the other side ends a handshake are those of RFC 8446 §6.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Final

from mcpp.phrases import Phrase, reworded

LEFT: Final = Phrase("it left in the middle of the TLS handshake")

_NO_CIPHER: Final = Phrase("it offers no cipher suite that is allowed here; old ones may need tls-rsa-suites")
_TOO_OLD: Final = Phrase("it speaks no TLS 1.2 or later")
_NO_CERTIFICATE: Final = Phrase("it shows no certificate of its own, and one is needed here")
_NO_EXCHANGE: Final = Phrase("it offers no key exchange that is allowed here")
_NO_SIGNATURE: Final = Phrase("it offers no signature algorithm that is allowed here")
_GARBLED: Final = Phrase("what it sends can't be read as TLS")

_REASONS: Final[Mapping[str, Phrase]] = {
    "NO_SHARED_CIPHER": _NO_CIPHER,
    "NO_CIPHERS_SPECIFIED": _NO_CIPHER,
    "UNSUPPORTED_PROTOCOL": _TOO_OLD,
    "VERSION_TOO_LOW": _TOO_OLD,
    "UNEXPECTED_EOF_WHILE_READING": LEFT,
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": _NO_CERTIFICATE,
    "NO_SUITABLE_KEY_SHARE": _NO_EXCHANGE,
    "NO_SUITABLE_GROUPS": _NO_EXCHANGE,
    "NO_SHARED_GROUPS": _NO_EXCHANGE,
    "NO_SHARED_SIGNATURE_ALGORITHMS": _NO_SIGNATURE,
    "NO_SUITABLE_SIGNATURE_ALGORITHM": _NO_SIGNATURE,
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": Phrase("it wants an unsafe renegotiation"),
    "WRONG_VERSION_NUMBER": _GARBLED,
    "RECORD_LAYER_FAILURE": _GARBLED,
    "PACKET_LENGTH_TOO_LONG": _GARBLED,
    "LENGTH_MISMATCH": _GARBLED,
    "LENGTH_TOO_SHORT": _GARBLED,
    "UNEXPECTED_MESSAGE": _GARBLED,
    "BAD_EXTENSION": _GARBLED,
    "DECRYPTION_FAILED_OR_BAD_RECORD_MAC": _GARBLED,
    "DIGEST_CHECK_FAILED": _GARBLED,
    "BAD_SIGNATURE": Phrase("it doesn’t hold the key to its certificate"),
}
"""By `ssl.SSLError.reason`."""

_TOLD: Final = frozenset({_NO_CIPHER, _TOO_OLD, LEFT})
"""That logs have in these words, too."""

_DISTRUST: Final = Phrase("it doesn’t trust this server’s certificate")
_DISLIKED: Final = Phrase("it doesn’t accept this server’s certificate")

_ALERTS: Final[Mapping[str, Phrase]] = {
    "UNKNOWN_CA": _DISTRUST,
    "BAD_CERTIFICATE": _DISLIKED,
    "CERTIFICATE_UNKNOWN": _DISLIKED,
    "UNSUPPORTED_CERTIFICATE": _DISLIKED,
    "CERTIFICATE_REVOKED": _DISLIKED,
    "BAD_CERTIFICATE_STATUS_RESPONSE": _DISLIKED,
    "CERTIFICATE_EXPIRED": Phrase("to it, this server’s certificate has expired: look at its clock, too"),
    "PROTOCOL_VERSION": Phrase("it speaks no version of TLS that is allowed here"),
    "HANDSHAKE_FAILURE": Phrase("it finds nothing in common with what is allowed here"),
    "INSUFFICIENT_SECURITY": Phrase("it wants a safer encryption than this server offers"),
    "DECRYPT_ERROR": Phrase("it couldn't check this server’s signature"),
    "INTERNAL_ERROR": Phrase("it failed by itself"),
    "USER_CANCELLED": Phrase("it gave up"),
    "ACCESS_DENIED": Phrase("it refuses this server"),
    "UNRECOGNIZED_NAME": Phrase("it expects a server of another name"),
}
"""By the alert that it sent, as OpenSSL names it behind a prefix."""

_PREFIXES: Final = ("TLSV1_ALERT_", "SSLV3_ALERT_", "TLSV13_ALERT_", "TLSV1_", "TLSV13_")

_CERTIFICATES: Final[Mapping[int, Phrase]] = {
    2: Phrase("nobody is trusted here who has signed it"),
    7: Phrase("its signature is wrong"),
    9: Phrase("it isn’t valid yet"),
    10: Phrase("it has expired"),
    18: Phrase("it’s signed by itself"),
    19: Phrase("its authority isn’t trusted here (tls-client-ca)"),
    20: Phrase("its authority isn’t trusted here (tls-client-ca)"),
    21: Phrase("its authority isn’t trusted here (tls-client-ca)"),
    23: Phrase("it is revoked"),
    24: Phrase("who signed it is no authority"),
    26: Phrase("it isn’t meant for clients of TLS"),
    66: Phrase("its key is too weak"),
    68: Phrase("its signature’s algorithm is too weak"),
}
"""By `ssl.SSLCertVerificationError.verify_code`: OpenSSL's X509_V_ERR_ numbers."""


def failure_reason(error: ssl.SSLError) -> Phrase:
    """Why a handshake failed, for a log line and for pages."""
    if isinstance(error, ssl.SSLCertVerificationError):
        text = f"its certificate isn't accepted: {error.verify_message}"
        why = _CERTIFICATES.get(error.verify_code)
        if why is not None:
            return reworded(text, "its certificate isn't accepted: {why}", why=why)
        return reworded(text, "its certificate isn't accepted: “{original}”", original=error.verify_message)
    code = error.reason or type(error).__name__
    for prefix in _PREFIXES:
        if code.startswith(prefix):
            return _by_alert(code.removeprefix(prefix))
    known, text = _REASONS.get(code), f"the TLS handshake failed: {_words(code)}"
    if known is None:
        return reworded(text, "the TLS handshake failed: “{original}”", original=_words(code))
    return known if known in _TOLD else reworded(text, "{why}", why=known)


def _by_alert(alert: str) -> Phrase:
    original = _words(alert)
    text = f"it ended the handshake, maybe for this server's certificate: {original}"
    why = _ALERTS.get(alert)
    if why is not None:
        return reworded(text, "it ended the handshake: {why}", why=why)
    return reworded(
        text, "it ended the handshake, maybe for this server's certificate: “{original}”", original=original
    )


def _words(code: str) -> str:
    return code.replace("_", " ").lower()
