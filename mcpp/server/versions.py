"""The OCPP versions that are spoken, for those who need no server to know them."""

from __future__ import annotations

from mcpp.ocpp16.vocabulary import VOCABULARY as VOCABULARY
