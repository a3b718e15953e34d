"""The last frames of a charger, as its page shows them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.integration.field_notes.site import central_system


async def test_frames_of_both_directions_are_shown_in_order_with_secrets_masked(tmp_path: Path) -> None:
    async with central_system(tmp_path) as central:
        assert (await central.http.get("/api/v1/charge-points/CP-1/frames")).status_code == 404
        async with central.dial(answers={"ChangeConfiguration": {"status": "Accepted"}}) as charger:
            await charger.say("Heartbeat", {})
            await charger.send('[2, "odd", "Heartbeat"')
            await central.accepted("ChangeConfiguration", {"value": "hunter2hunter2hun", "key": "AuthorizationKey"})
            frames = await central.items("charge-points/CP-1/frames")

            texts = [frame["text"] for frame in frames]
            assert "hunter2" not in json.dumps(frames)
            assert [frame["direction"] for frame in frames[:2]] == ["in", "out"]
            assert json.loads(texts[0])[2] == "Heartbeat"
            assert "currentTime" in json.loads(texts[1])[2]
            assert '[2, "odd", "Heartbeat"' in texts
            commanded = next(frame for frame in frames if "ChangeConfiguration" in frame["text"])
            assert commanded["direction"] == "out"
            assert json.loads(commanded["text"])[3] == {"value": "***", "key": "AuthorizationKey"}
            assert frames == sorted(frames, key=lambda frame: frame["at"])
            newest = (await central.get("charge-points/CP-1/frames", limit="1"))["items"]
            assert newest == frames[-1:]

        # What it said last is of interest when it is gone.
        assert await central.items("charge-points/CP-1/frames") == frames
