"""Sessions in pairs: a charge point against a central system, so that each must see all that the other sent."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, precondition, rule

from mcpp.ocppj.errors import ConnectionLost, ErrorCode, QueueFull
from mcpp.ocppj.frames import FRAMING_16, Call, CallError, CallResult, CallResultError, Framing, Send, encode
from mcpp.ocppj.session import Answered, MalformedFrame, Session, Stray
from tests.examples import examples

TIMEOUT = 30.0


def session(queue_limit: int = 4) -> Session:
    return Session(call_timeout=TIMEOUT, queue_limit=queue_limit)


def call(message_id: str, action: str = "Reset") -> Call:
    return Call(message_id, action, b"{}")


def test_both_sides_call_at_once_and_answer_while_they_wait() -> None:
    central_system, charge_point = session(), session()
    central_system.submit(call("c1"))
    charge_point.submit(call("p1", "Heartbeat"))
    to_charge_point, to_central_system = central_system.call_to_send(0), charge_point.call_to_send(0)
    assert to_charge_point is not None
    assert to_central_system is not None

    assert charge_point.receive(encode(to_charge_point)) == call("c1")
    assert central_system.receive(encode(to_central_system)) == call("p1", "Heartbeat")
    answers = CallResult("p1", b"{}"), CallResult("c1", b"{}")

    assert charge_point.receive(encode(answers[0])) == Answered(call("p1", "Heartbeat"), answers[0])
    assert central_system.receive(encode(answers[1])) == Answered(call("c1"), answers[1])


def test_several_incoming_calls_may_be_open_while_ours_waits() -> None:
    central_system = session()
    central_system.submit(call("c1"))
    central_system.call_to_send(0)

    incoming = [central_system.receive(encode(call(name, "Heartbeat"))) for name in ("p1", "p2", "p1")]

    assert incoming == [call("p1", "Heartbeat"), call("p2", "Heartbeat"), call("p1", "Heartbeat")]
    assert central_system.outstanding == call("c1")


def test_one_call_at_a_time_in_order() -> None:
    """OCPP-J 1.6 §4.1.1."""
    central_system = session()
    for name in ("c1", "c2", "c3"):
        central_system.submit(call(name))

    assert central_system.call_to_send(0) == call("c1")
    assert central_system.call_to_send(0) is None
    central_system.receive(b'[3,"c1",{}]')
    assert central_system.call_to_send(0) == call("c2")
    assert central_system.queued == 1


def test_calls_that_wait_are_bounded_in_bytes() -> None:
    central_system = Session(call_timeout=TIMEOUT, queue_limit=9, queue_bytes=100)
    large = Call("c1", "DataTransfer", b"x" * 500)
    central_system.submit(large)  # nothing waits before it
    assert central_system.call_to_send(0) == large
    central_system.submit(Call("c2", "DataTransfer", b"x" * 60))
    central_system.submit(Call("c3", "DataTransfer", b"x" * 40))
    with pytest.raises(QueueFull):
        central_system.submit(call("c4"))

    # What is taken back, or goes out, makes room.
    assert central_system.withdraw("c3")
    assert not central_system.withdraw("c3")
    central_system.submit(Call("c5", "DataTransfer", b"x" * 40))
    central_system.receive(b'[3,"c1",{}]')
    central_system.call_to_send(0)
    central_system.submit(Call("c6", "DataTransfer", b"x" * 60))
    with pytest.raises(QueueFull):
        central_system.submit(call("c7"))


def test_queue_limit_counts_those_that_wait() -> None:
    central_system = session(queue_limit=2)
    central_system.submit(call("c1"))
    central_system.call_to_send(0)
    central_system.submit(call("c2"))
    central_system.submit(call("c3"))

    with pytest.raises(QueueFull):
        central_system.submit(call("c4"))


def test_no_queue_still_lets_one_call_out() -> None:
    central_system = session(queue_limit=0)
    central_system.submit(call("c1"))
    assert central_system.call_to_send(0) == call("c1")

    with pytest.raises(QueueFull):
        central_system.submit(call("c2"))


def test_call_errors_answer_too() -> None:
    central_system = session()
    central_system.submit(call("c1"))
    central_system.call_to_send(0)

    answer = CallError("c1", "NotSupported", "no")

    assert central_system.receive(encode(answer)) == Answered(call("c1"), answer)


def test_timeout_lets_the_next_call_out_and_the_late_answer_is_told_from_an_unknown_one() -> None:
    central_system = session()
    central_system.submit(call("c1"))
    central_system.submit(call("c2"))
    assert central_system.next_deadline() is None
    central_system.call_to_send(100)

    assert central_system.next_deadline() == 100 + TIMEOUT
    assert central_system.expire(100 + TIMEOUT - 0.1) is None
    assert central_system.expire(100 + TIMEOUT) == call("c1")
    assert central_system.call_to_send(131) == call("c2")
    late, unknown = CallResult("c1", b"{}"), CallResult("x", b"{}")
    assert central_system.receive(encode(late)) == Stray(late, late=True)
    assert central_system.receive(encode(unknown)) == Stray(unknown, late=False)
    assert central_system.outstanding == call("c2")


def test_an_answer_counts_once() -> None:
    central_system = session()
    central_system.submit(call("c1"))
    central_system.call_to_send(0)
    answer = CallResult("c1", b"{}")
    central_system.receive(encode(answer))

    assert central_system.receive(encode(answer)) == Stray(answer, late=False)


def test_withdrawn_calls_do_not_go_out_but_sent_ones_stay_due() -> None:
    central_system = session()
    for name in ("c1", "c2", "c3"):
        central_system.submit(call(name))
    central_system.call_to_send(0)

    assert central_system.withdraw("c2") is True
    assert central_system.withdraw("c1") is False
    central_system.receive(b'[3,"c1",{}]')
    assert central_system.call_to_send(0) == call("c3")


def test_close_gives_every_call_that_will_never_be_answered() -> None:
    central_system = session()
    for name in ("c1", "c2", "c3"):
        central_system.submit(call(name))
    central_system.call_to_send(0)

    assert central_system.close() == [call("c1"), call("c2"), call("c3")]
    assert central_system.next_deadline() is None
    with pytest.raises(ConnectionLost):
        central_system.submit(call("c4"))


def test_refused_calls_are_owed_an_answer_where_the_id_is_known() -> None:
    central_system = session()
    with_id, without_id = central_system.receive(b'[2,"p1","Heartbeat"'), central_system.receive(b"hello")

    assert isinstance(with_id, MalformedFrame)
    assert (with_id.error.message_id, with_id.error.code, with_id.answer_id) == (
        "p1",
        ErrorCode.RPC_FRAMEWORK_ERROR,
        "p1",
    )
    assert isinstance(without_id, MalformedFrame)
    assert without_id.answer_id is None


def test_a_broken_answer_ends_its_call_and_is_not_answered() -> None:
    central_system = session()
    central_system.submit(call("c1"))
    central_system.submit(call("c2"))
    central_system.call_to_send(0)
    refused = central_system.receive(b'[3,"c1",{"status":')

    assert isinstance(refused, MalformedFrame)
    assert (refused.call, refused.answer_id) == (call("c1"), None)
    assert central_system.call_to_send(0) == call("c2")


def test_a_broken_answer_to_something_else_leaves_the_outstanding_call_alone() -> None:
    central_system = session()
    central_system.submit(call("c1"))
    central_system.call_to_send(0)
    refused = central_system.receive(b'[3,"x",{"status":')

    assert isinstance(refused, MalformedFrame)
    assert refused.call is None
    assert central_system.outstanding == call("c1")


class _Side:
    """A session with the wire to the other side and a record of what happened to it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.session = Session(call_timeout=TIMEOUT, queue_limit=3)
        self.wire: list[bytes] = []
        self.submitted: list[str] = []
        self.sent: list[str] = []
        self.received: list[str] = []
        self.withdrawn: list[str] = []
        self.ended: dict[str, str] = {}

    def pump(self, now: float) -> None:
        while (sent := self.session.call_to_send(now)) is not None:
            self.wire.append(encode(sent))
            self.sent.append(sent.message_id)

    def end(self, message_id: str, how: str) -> None:
        assert message_id not in self.ended, "a CALL ends once"
        self.ended[message_id] = how


class TwoSides(RuleBasedStateMachine):
    """Any interleaving of CALLs, answers, losses of time: nothing lost, order kept, one outstanding per direction."""

    owed = Bundle("owed")
    sides = st.integers(0, 1)

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.pair = (_Side("central_system"), _Side("charge_point"))
        self.open = True

    @precondition(lambda self: self.open)
    @rule(side=sides)
    def submit(self, side: int) -> None:
        sender = self.pair[side]
        message_id = f"{sender.name}-{len(sender.submitted)}"
        full = sender.session.outstanding is not None and sender.session.queued >= 3
        try:
            sender.session.submit(call(message_id))
        except QueueFull:
            assert full
            return
        assert not full
        sender.submitted.append(message_id)
        sender.pump(self.now)

    @precondition(lambda self: self.open)
    @rule(side=sides, target=owed)
    def deliver(self, side: int) -> object:
        """One frame crosses the wire; a CALL is from then on owed an answer by the side that got it."""
        sender, receiver = self.pair[side], self.pair[1 - side]
        if not sender.wire:
            return multiple()
        event = receiver.session.receive(sender.wire.pop(0))
        if isinstance(event, Call):
            receiver.received.append(event.message_id)
            return (1 - side, event)
        if isinstance(event, Answered):
            assert event.answer.message_id == event.call.message_id
            receiver.end(event.call.message_id, "answered")
            receiver.pump(self.now)
        else:
            assert isinstance(event, Stray)
            assert event.late
            assert receiver.ended[event.answer.message_id] == "expired"
        return multiple()

    @precondition(lambda self: self.open)
    @rule(debt=consumes(owed))
    def answer(self, debt: tuple[int, Call]) -> None:
        """Debts are paid in any order."""
        side, incoming = debt
        self.pair[side].wire.append(encode(CallResult(incoming.message_id, b"{}")))

    @rule(seconds=st.sampled_from([1.0, TIMEOUT]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        for side in self.pair:
            deadline = side.session.next_deadline()
            expired = side.session.expire(self.now)
            assert (expired is not None) == (deadline is not None and deadline <= self.now)
            if expired is not None:
                side.end(expired.message_id, "expired")
                side.pump(self.now)

    @precondition(lambda self: self.open)
    @rule(side=sides, which=st.integers(0, 3))
    def withdraw(self, side: int, which: int) -> None:
        sender = self.pair[side]
        waiting = [name for name in sender.submitted if name not in sender.sent and name not in sender.ended]
        if which < len(waiting):
            assert sender.session.withdraw(waiting[which])
            sender.end(waiting[which], "withdrawn")
            sender.withdrawn.append(waiting[which])

    @precondition(lambda self: self.open)
    @rule()
    def close(self) -> None:
        self.open = False
        for side in self.pair:
            for unanswered in side.session.close():
                side.end(unanswered.message_id, "closed")
            assert list(side.ended) != [] or side.submitted == []
            assert set(side.ended) == set(side.submitted), "every CALL has an end"

    @invariant()
    def at_most_one_outstanding(self) -> None:
        for side in self.pair:
            running = [name for name in side.sent if name not in side.ended]
            outstanding = side.session.outstanding
            assert running == ([] if outstanding is None else [outstanding.message_id])

    @invariant()
    def order_is_kept(self) -> None:
        for side, other in (self.pair, self.pair[::-1]):
            kept = [name for name in side.submitted if name not in side.withdrawn]
            assert side.sent == kept[: len(side.sent)]
            assert other.received == side.sent[: len(other.received)]

    @invariant()
    def nothing_waits_without_need(self) -> None:
        for side in self.pair:
            assert side.session.queued == 0 or side.session.outstanding is not None


TwoSides.TestCase.settings = examples(times=0.6, steps=40)
TestTwoSides = TwoSides.TestCase


OF_201 = Framing(unread_id="-1")
OF_21 = Framing(has_sends=True, unread_id="-1", answers_unknown_types=False)


@pytest.mark.parametrize(
    ("text", "of_16", "of_201", "of_21"),
    [
        (b"hello", None, "-1", "-1"),
        (b'[2,null,"Heartbeat",{}]', None, "-1", "-1"),
        (b'[2,"m1","Heartbeat"', "m1", "m1", "m1"),
        (b'[9,"m1",{}]', "m1", "m1", None),
        (b'[6,"m1","NotifyPeriodicEventStream",5]', None, None, None),
        (b"[3,null,{}]", None, None, None),
        (b'[5,"m1"]', None, None, None),
    ],
)
def test_which_refused_texts_are_owed_an_answer(
    text: bytes, of_16: str | None, of_201: str | None, of_21: str | None
) -> None:
    """OCPP-J 2.0.1 §4.2.3, 2.1 §4.1: the id -1 where none can be read; 2.1 leaves unknown types alone."""
    for framing, expected in ((FRAMING_16, of_16), (OF_201, of_201), (OF_21, of_21)):
        side = Session(call_timeout=30, queue_limit=1, framing=framing)
        refused = side.receive(text)
        assert isinstance(refused, MalformedFrame)
        assert refused.answer_id == expected


def test_a_send_and_a_refused_result_leave_the_outstanding_call_alone() -> None:
    side = Session(call_timeout=30, queue_limit=1, framing=OF_21)
    side.submit(call("c1"))
    side.call_to_send(0)

    assert side.receive(b'[6,"c1","NotifyPeriodicEventStream",{}]') == Send("c1", "NotifyPeriodicEventStream", b"{}")
    assert side.receive(b'[5,"c1","FormatViolation","",{}]') == CallResultError("c1", "FormatViolation", "")
    assert side.outstanding == call("c1")
