"""What a transaction is billed for: the energy between its registers, unless its meter values know better.

By the specification it's meterStop - meterStart (OCPP 1.6 §6.45, §6.49). The values stand in where that can't be true,
and where they show a register that has fallen by the end, or one that moved while the stop repeats the start's.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from mcpp.domain.account import EnergyAccount
from mcpp.domain.evidence import Claim, Frame
from mcpp.domain.plausibility import is_sentinel, register_fault
from mcpp.domain.registers import continuous_wh
from mcpp_generated.db.enums import Implausible

_SIXTEEN_BITS = 2**16 - 1

_SURE_DIFFERENCE = 1000
"""Wh. Meters of one connector may be apart by less, and by a tenth."""


class Distrust(StrEnum):
    """Why a stop's register isn't the bill, where it's none of `Implausible`."""

    REGISTER_FELL = "register_fell"
    """The values ended higher: the register fell at the end."""
    REGISTER_RESTS = "register_rests"
    """It's the start's, while the values moved."""
    VALUES_DISAGREE = "values_disagree"
    """Values that aren't of its register say much more, or can't be read where it rests: it counts all the same."""


class Bill(NamedTuple):
    """What a transaction took."""

    energy_wh: int
    """0 where it's implausible."""
    implausible: Implausible | None = None
    """Why no reading can be believed."""
    claim: Claim | None = None
    """The series of meter values that counts, None where the registers do."""
    distrust: Implausible | Distrust | None = None
    """What is odd about the stop's register: why it doesn't count, or that values disagree with it."""
    values_wh: int | None = None
    """What the values say, where they disagree."""

    @property
    def counted_wh(self) -> int:
        """What of it is summed up, for the charge point's total."""
        return 0 if self.implausible is not None else self.energy_wh


def bill_of_stop(
    account: EnergyAccount, meter_start: int, meter_stop: int, stopped_at: datetime, received_at: datetime
) -> Bill:
    """By a stop's register, its charger's or one that was kept aside; `account` has what was measured until then."""
    claim = account.claim()
    could_wh = account.could_deliver_wh(stopped_at, received_at)
    fault = _fault(meter_start, meter_stop, could_wh)
    if fault is None and claim is not None and _is_left_out(claim, meter_start, meter_stop, stopped_at):
        fault = Implausible.SENTINEL
    if fault is not None:
        return Bill(0, implausible=fault) if claim is None else Bill(claim.energy_wh, claim=claim, distrust=fault)
    energy = meter_stop - meter_start
    distrust = None if claim is None else _distrust(claim, meter_start, energy)
    if claim is None and energy == 0 and account.is_puzzling:
        return Bill(energy, distrust=Distrust.VALUES_DISAGREE)
    if claim is None or distrust is None:
        return Bill(energy)
    if distrust is Distrust.VALUES_DISAGREE:
        return Bill(energy, distrust=distrust, values_wh=claim.energy_wh)
    return Bill(claim.energy_wh, claim=claim, distrust=distrust)


def bill_of_values(account: EnergyAccount, meter_start: int) -> Bill:
    """By meter values alone, where there is no stop; without any, nothing was taken that we know of."""
    claim = account.claim()
    if claim is not None:
        return Bill(claim.energy_wh, claim=claim)
    return Bill(0, implausible=register_fault(meter_start) or account.refused)


def _fault(meter_start: int, meter_stop: int, could_wh: int) -> Implausible | None:
    fault = register_fault(meter_start) or register_fault(meter_stop)
    if fault is not None:
        return fault
    energy = meter_stop - meter_start
    if energy < 0:
        return Implausible.NEGATIVE_ENERGY
    if energy <= could_wh:
        return None
    return (
        Implausible.SENTINEL if is_sentinel(energy) or meter_stop == _SIXTEEN_BITS else Implausible.MORE_THAN_POSSIBLE
    )


def _distrust(claim: Claim, meter_start: int, energy: int) -> Distrust | None:
    """Why values that say otherwise weigh more than registers that could be true."""
    if claim.energy_wh <= energy:
        return None
    if energy == 0:
        # A register that has a life of its own may rest while the inlet feeds another connector.
        return Distrust.REGISTER_RESTS if claim.is_at_connector or not meter_start else None
    if claim.below_jump_wh is not None and energy >= claim.below_jump_wh:
        # The stop goes on from before the jump: that was misread.
        return None
    moved = claim.energy_wh - claim.first_wh
    if not meter_start and claim.first_wh > energy >= moved - claim.resolution_wh:
        # All of the values lie above the stop, which tells as much as they moved: they're of the meter's life.
        return None
    is_same_register = claim.frame is Frame.LIFETIME and claim.is_at_connector
    # A stop in Wh may end below what values in tenths of a kWh were rounded up to.
    if is_same_register and claim.energy_wh - energy >= claim.resolution_wh:
        return Distrust.REGISTER_FELL
    difference = claim.energy_wh - energy
    if claim.is_at_connector and difference > max(_SURE_DIFFERENCE, energy // 10):
        return Distrust.VALUES_DISAGREE
    return None


def _is_left_out(claim: Claim, meter_start: int, meter_stop: int, stopped_at: datetime) -> bool:
    """Whether a stop of 65535, which may be no register at all, isn't where the values end."""
    if meter_stop != _SIXTEEN_BITS or claim.newest_at > stopped_at:
        return False
    return meter_stop - meter_start - claim.energy_wh > continuous_wh(stopped_at - claim.newest_at)
