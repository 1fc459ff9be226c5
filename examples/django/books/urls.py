from django.urls import path

from . import views

urlpatterns = [
    path("", views.BookList.as_view(), name="books"),
    path("books/new/", views.BookCreate.as_view(), name="book-new"),
    path("books/<int:pk>/", views.BookDetail.as_view(), name="book"),
    path("books/<int:pk>/finish/", views.finish, name="book-finish"),
    path("upload/", views.upload, name="upload"),
    path("stream/", views.stream, name="stream"),
    path("error/", views.error, name="error"),
]
