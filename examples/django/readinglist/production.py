"""What differs in production: no DEBUG, and static files with a hash in their names, collected into one folder.

python manage.py collectstatic --settings readinglist.production
maitred -c production.toml
"""

from .settings import *  # noqa: F403
from .settings import BASE_DIR

DEBUG = False

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # admin/css/base.css becomes admin/css/base.3f1d7ed2ab59.css: it may be kept for ever, since a change is another name.
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}

MEDIA_URL = "/media/"
MEDIA_ROOT = BASE_DIR / "media"
