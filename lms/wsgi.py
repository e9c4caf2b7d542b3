"""The web server's door: `lms.wsgi:app` for a server of the operator's choice."""

import os

from lms.app import create_app
from lms.config import from_environment

app = create_app(from_environment(os.environ))
