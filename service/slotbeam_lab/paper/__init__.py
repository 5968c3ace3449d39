"""`slotbeam paper`: every table of the evaluation, in resumable units."""
