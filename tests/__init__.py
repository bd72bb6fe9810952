"""Tests: the product's promises, each a sentence. `world.py` is where to begin."""

import os

SOAK = os.environ.get("GUESTAUTH_SOAK", "").lower() == "on"  # every case, and long
