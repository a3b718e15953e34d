"""How plugins are asked: who answers for all, and what stands where nobody does."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from mcpp.domain.authorization import Authorization, AuthorizationStatus
from mcpp.domain.questions import AuthorizationQuestion, DataTransferAnswer, DataTransferQuestion, DataTransferStatus
from mcpp.plugins import Site
from mcpp.plugins.worker import PluginLimits
from tests.integration.plugins.at_work import PATIENCE, SHORT, at_work, both, plugin, until
from tests.integration.plugins.faulty_hooks import cancels, raises, waits_for_ever

ACCEPTED = Authorization(AuthorizationStatus.ACCEPTED)
BLOCKED = Authorization(AuthorizationStatus.BLOCKED)


def question(id_tag: str = "T") -> AuthorizationQuestion:
    return AuthorizationQuestion(
        charge_point_id="CP-1", correlation_id="c" * 32, connector_id=None, id_tag=id_tag, by_the_books=ACCEPTED
    )


@both
async def test_the_first_answer_wins_in_the_order_of_the_plugins(tmp_path: Path, trusted: bool) -> None:
    asked: list[str] = []

    def authorize(name: str, answer: Authorization | None) -> Any:
        async def answer_later(question: AuthorizationQuestion, site: Site) -> Authorization | None:
            asked.append(f"{name} {question.id_tag}")
            return answer

        return answer_later

    async with at_work(
        tmp_path,
        plugin("silent", trusted, authorize=authorize("silent", None)),
        plugin("deaf", trusted, server_started=lambda: None),
        plugin("strict", trusted, authorize=authorize("strict", BLOCKED)),
        plugin("lax", trusted, authorize=authorize("lax", ACCEPTED)),
    ) as work:
        assert work.plugins.asks("authorize")
        assert await work.plugins.authorize(question()) == BLOCKED

    assert asked == ["silent T", "strict T"]


@both
async def test_a_vendor_s_message_is_answered_by_a_plain_function(tmp_path: Path, trusted: bool) -> None:
    def data_transfer_received(question: DataTransferQuestion) -> DataTransferAnswer:
        return DataTransferAnswer(status=DataTransferStatus.ACCEPTED, data=question.data)

    asked = DataTransferQuestion(
        charge_point_id="CP-1", correlation_id="c" * 32, vendor_id="V", message_id=None, data="7"
    )
    hears = plugin("p", trusted, data_transfer_received=data_transfer_received)
    async with at_work(tmp_path, hears) as work:
        answer = await work.plugins.answer_data_transfer(asked)

    assert answer == DataTransferAnswer(status=DataTransferStatus.ACCEPTED, data="7")


@both
@pytest.mark.parametrize("fault", [raises, cancels, waits_for_ever])
async def test_without_an_answer_the_books_decide(tmp_path: Path, trusted: bool, fault: Any) -> None:
    async with at_work(tmp_path, plugin("p", trusted, authorize=fault), limits=SHORT) as work:
        assert await work.plugins.authorize(question()) is None

    assert work.seen.failures == {("p", "authorize"): 1}


@both
async def test_an_answer_of_another_type_is_none(tmp_path: Path, trusted: bool) -> None:
    async with at_work(tmp_path, plugin("p", trusted, authorize=lambda: True)) as work:
        assert await work.plugins.authorize(question()) is None

    assert isinstance(work.seen.errors[0], TypeError)


@both
async def test_who_never_answers_is_not_asked_for_a_while(tmp_path: Path, trusted: bool) -> None:
    async with at_work(tmp_path, plugin("p", trusted, authorize=waits_for_ever), limits=SHORT) as work:
        for _ in range(10):
            assert await work.plugins.authorize(question()) is None

    assert work.seen.calls == {("p", "authorize"): 3}


async def test_a_plugin_whose_thread_is_blocked_does_not_block_the_answer(tmp_path: Path) -> None:
    go_on = threading.Event()

    def blocks(question: AuthorizationQuestion) -> Authorization:
        go_on.wait(30)
        return BLOCKED

    async with at_work(tmp_path, plugin("p", False, authorize=blocks), limits=SHORT) as work:
        for _ in range(10):
            assert await work.plugins.authorize(question()) is None
        go_on.set()

    assert work.seen.failures.keys() == {("p", "authorize")}


async def test_a_plugin_that_is_known_to_be_blocked_is_not_asked(tmp_path: Path) -> None:
    go_on = threading.Event()

    def blocks() -> None:
        go_on.wait(30)

    def authorize() -> Authorization:
        return BLOCKED

    limits = PluginLimits(hook_timeout=0.05, question_timeout=30, drain_timeout=0.05)
    async with at_work(tmp_path, plugin("p", False, server_started=blocks, authorize=authorize), limits=limits) as work:
        await until(lambda: work.seen.errors)
        assert await work.plugins.authorize(question()) is None
        go_on.set()
        async with asyncio.timeout(PATIENCE):
            while await work.plugins.authorize(question()) != BLOCKED:
                await asyncio.sleep(0.001)

    assert work.seen.failures.keys() == {("p", "server_started")}
