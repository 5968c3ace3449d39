"""How many cases a property is tried on that needs many: PROPERTY_CASES, 2 000 unless `make torture` asks for more."""

import os

CASES = int(os.environ.get("PROPERTY_CASES", "2000"))
