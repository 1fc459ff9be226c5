"""The pages. All of it is plain Django: nothing here knows which server runs it."""

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Iterator

from django.contrib import messages
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django.views.generic import CreateView, DetailView, ListView

from .forms import BookForm, UploadForm
from .models import Book

log = logging.getLogger("books")

PAUSE_SECONDS = 0.1
MOST_LINES = 1_000


class BookList(ListView):
    model = Book
    paginate_by = 20


class BookDetail(DetailView):
    model = Book


class BookCreate(CreateView):
    model = Book
    form_class = BookForm

    def form_valid(self, form: BookForm) -> HttpResponse:
        response = super().form_valid(form)
        messages.success(self.request, f"“{self.object.title}” is on the list.")
        return response


@require_POST
def finish(request: HttpRequest, pk: int) -> HttpResponseRedirect:
    book = get_object_or_404(Book, pk=pk)
    book.finished = not book.finished
    book.save(update_fields=["finished"])
    return redirect(book)


def upload(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None)
    report = None
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        digest = hashlib.sha256()
        for chunk in file.chunks():
            digest.update(chunk)
        report = {"name": file.name, "size": file.size, "sha256": digest.hexdigest()}
    return render(request, "books/upload.html", {"form": form, "report": report})


def stream(request: HttpRequest) -> StreamingHttpResponse:
    """One line every tenth of a second. Django wants a plain iterator under WSGI and an async one under ASGI."""
    wanted = request.GET.get("lines", "")
    count = min(int(wanted), MOST_LINES) if wanted.isdecimal() else 20
    lines = lines_async(count) if isinstance(request, ASGIRequest) else lines_sync(count)
    return StreamingHttpResponse(lines, content_type="text/plain; charset=utf-8")


def lines_sync(count: int) -> Iterator[str]:
    sent = 0
    try:
        for number in range(1, count + 1):
            yield f"line {number} of {count}\n"
            sent = number
            time.sleep(PAUSE_SECONDS)
    finally:
        log.warning("stream over after %d of %d lines", sent, count)


async def lines_async(count: int) -> AsyncIterator[str]:
    sent = 0
    try:
        for number in range(1, count + 1):
            yield f"line {number} of {count}\n"
            sent = number
            await asyncio.sleep(PAUSE_SECONDS)
    finally:
        log.warning("stream over after %d of %d lines", sent, count)


def error(request: HttpRequest) -> HttpResponse:
    raise RuntimeError(f"an error on purpose; back to {reverse('books')}")
