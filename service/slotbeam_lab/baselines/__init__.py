"""The systems that slotbeam is compared with."""
