"""Events of a running `slotbeam up`: ids outlive the process that issued them, and the key stays in its file."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import httpx

from support.processes import HANG_S, Up, wait_for


def test_an_id_outlives_the_process_that_issued_it_and_the_key_stays_in_its_file(
    tmp_path: Path, tiny_artifact: Path
) -> None:
    with Up(tmp_path / "data", tiny_artifact, log_level="debug") as up:
        path = up.data_dir / "events.key"
        key = path.read_text().strip()
        assert path.stat().st_mode & 0o777 == 0o600
        bound = json.loads(up.cli("slots", "bind", "labubu", "-c", "brand", "--item", "i003", "--json").stdout)
        request_id = up.retrieve("labubu")["request_id"]
        old = up.record["children"]["serve"]
        os.kill(old, signal.SIGKILL)
        wait_for(lambda: (record := up.read()) is not None and record["children"]["serve"] != old)
        wait_for(lambda: up.retrieve("labubu")["applied_bindings"])

        events = [{"request_id": request_id, "type": "order", "item_id": "i003", "rank": 0}]
        with httpx.Client(verify=False, base_url=str(up.record["data"]), timeout=HANG_S) as http:
            taken = http.post("/events", json={"events": events})
            forged = http.post("/events", json={"events": [{**events[0], "request_id": request_id[::-1]}]})
            metrics = http.get("/metrics").text
        up.process.send_signal(signal.SIGTERM)
        wait_for(lambda: up.process.poll() is not None)

    assert (taken.status_code, taken.json()) == (202, {"accepted": 1})
    assert (forged.status_code, forged.json()["type"]) == (422, "urn:slotbeam:problem:unknown-request-id")
    assert 'slotbeam_events_total{k="10",result="order"} 1.0' in metrics
    assert f'slotbeam_binding_hits_total{{binding="{bound["id"]}",event="order"}} 1.0' in metrics
    assert path.read_text().strip() == key
    kept = [one.read_bytes() for one in up.data_dir.rglob("*") if one.is_file() and one != path]
    for place in (*(text.encode() for text in (up.output, up.errors, metrics, taken.text, forged.text)), *kept):
        assert key.encode() not in place
        assert request_id.encode() not in place
