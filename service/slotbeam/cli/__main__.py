"""`python -m slotbeam.cli`."""

from slotbeam.cli import main

main()
