"""The same page in Flask and in Django: each has its own idea of which path it is at."""

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path
from flask import Flask

flask_app = Flask(__name__)


@flask_app.get("/admin")
@flask_app.get("/admin/users")
def admin() -> str:
    return "ADMIN"


@flask_app.get("/web/<path:address>")
def web(address: str) -> str:
    return address


def django_admin(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ADMIN")


urlpatterns = [path("admin", django_admin), path("admin/users", django_admin)]
settings.configure(
    SECRET_KEY="public",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
)
django.setup()
django_app = get_wsgi_application()
