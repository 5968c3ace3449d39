"""What the control plane answers, for its OpenAPI document; see `slotbeam.api.http.models`."""
