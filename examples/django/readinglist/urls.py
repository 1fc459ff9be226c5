from django.contrib import admin
from django.contrib.staticfiles.urls import staticfiles_urlpatterns
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("books.urls")),
]

# Django's own view for static files, active while DEBUG is on, so that the admin looks right from the first click.
# The server's own static serving comes later and takes this over.
urlpatterns += staticfiles_urlpatterns()
