"""As an extension module that was not made for free threading."""
from hello import wsgi
