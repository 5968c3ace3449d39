"""The store that `slotbeam up` brings along: a real server, bound to its parent's life."""
