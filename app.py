"""The application, for gunicorn (`app:app`) and flask."""

import sys

from guestauth import create_app
from guestauth.config import BadSettings

try:
    app = create_app()
except BadSettings as refusal:
    sys.exit(str(refusal))
