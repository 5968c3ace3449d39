"""From a catalog, and a log where there is one, to an artifact. Only this package and `slotbeam_lab` import PyTorch."""
