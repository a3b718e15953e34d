"""The short form of the random walks, whose failures shrink; `make walks` takes many more steps."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.examples import examples
from tests.walks.counts import story_lines
from tests.walks.walk import walk


@examples(times=1)
@given(random=st.randoms(use_true_random=False), sessions=st.integers(1, 6))
def test_no_bill_is_wrong_in_silence(random: Random, sessions: int) -> None:
    walked = walk(random, sessions)

    failures = [finding for finding in walked.findings if finding.verdict.is_failure]
    assert not failures, "\n".join(story_lines(walked, failures[0]))


def test_ids_are_never_given_twice() -> None:
    walked = [walk(Random(seed), 10) for seed in range(5)]

    for each in walked:
        given = [session.answers for session in each.sessions if session.answers]
        assert len(set().union(*given)) == sum(len(set(ids)) for ids in given)
