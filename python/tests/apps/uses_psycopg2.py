import os

import psycopg2

from hello import wsgi as _wsgi

if os.environ.get("PSYCOGREEN"):
    psycopg2.extensions.set_wait_callback(lambda connection: None)
POOL = [psycopg2.extensions.connection()]
wsgi = _wsgi
