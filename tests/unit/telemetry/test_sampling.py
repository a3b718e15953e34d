"""Which traces are recorded: as the OpenTelemetry SDK's samplers say, which the same variables configure."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    DEFAULT_OFF,
    DEFAULT_ON,
    Decision,
    ParentBasedTraceIdRatio,
    Sampler,
    TraceIdRatioBased,
)
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from mcpp.telemetry.tracing.otel_values import SamplerName
from mcpp.telemetry.tracing.sampling import Sampling
from mcpp.telemetry.tracing.settings import read_tracing_settings

RATIO = 0.3
SAMPLERS: dict[SamplerName, Sampler] = {
    SamplerName.ALWAYS_ON: ALWAYS_ON,
    SamplerName.ALWAYS_OFF: ALWAYS_OFF,
    SamplerName.RATIO: TraceIdRatioBased(RATIO),
    SamplerName.PARENT_ALWAYS_ON: DEFAULT_ON,
    SamplerName.PARENT_ALWAYS_OFF: DEFAULT_OFF,
    SamplerName.PARENT_RATIO: ParentBasedTraceIdRatio(RATIO),
}
SOME_IDS = [Random(number).getrandbits(128) for number in range(500)]


def says_yes(sampler: Sampler, trace_id: int, caller: SpanContext | None = None) -> bool:
    context = None if caller is None else set_span_in_context(NonRecordingSpan(caller))
    return sampler.should_sample(context, trace_id, "").decision is Decision.RECORD_AND_SAMPLE


def sampling_by(name: SamplerName) -> Sampling:
    settings = read_tracing_settings({"OTEL_TRACES_SAMPLER": name.value, "OTEL_TRACES_SAMPLER_ARG": str(RATIO)})
    assert settings is not None
    return settings.sampling


@pytest.mark.parametrize("name", SamplerName)
def test_a_trace_that_begins_here_is_recorded_as_its_sampler_says(name: SamplerName) -> None:
    sampling = sampling_by(name)

    assert [sampling.records(f"{trace_id:032x}") for trace_id in SOME_IDS] == [
        says_yes(SAMPLERS[name], trace_id) for trace_id in SOME_IDS
    ]


@pytest.mark.parametrize("flags", [TraceFlags.DEFAULT, TraceFlags.SAMPLED])
@pytest.mark.parametrize("name", SamplerName)
def test_what_a_span_elsewhere_sets_off_is_recorded_as_the_sampler_says(name: SamplerName, flags: int) -> None:
    sampling = sampling_by(name)
    callers = [SpanContext(trace_id, 1, is_remote=True, trace_flags=TraceFlags(flags)) for trace_id in SOME_IDS]

    assert [sampling.records_for(caller) for caller in callers] == [
        says_yes(SAMPLERS[name], caller.trace_id, caller) for caller in callers
    ]


@given(st.floats(0, 1), st.integers(-2, 1), st.integers(0, (1 << 64) - 1))
@example(0.0, 0, 0)
@example(1.0, -1, 0)
@example(5e-324, 0, 0)
@example(1 - 2**-53, -1, 0)
def test_the_bound_is_the_samplers_to_the_last_digit(ratio: float, offset: int, upper: int) -> None:
    sampler = TraceIdRatioBased(ratio)
    lower = min(max(sampler.bound + offset, 0), (1 << 64) - 1)
    trace_id = upper << 64 | lower

    assert Sampling(ratio, follows_callers=False).records(f"{trace_id:032x}") is says_yes(sampler, trace_id)
