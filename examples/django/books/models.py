from django.db import models
from django.urls import reverse


class Book(models.Model):
    title = models.CharField(max_length=200)
    author = models.CharField(max_length=200)
    note = models.TextField(blank=True, help_text="Why it is on the list.")
    finished = models.BooleanField(default=False)
    added = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["finished", "-added", "-id"]

    def __str__(self) -> str:
        return f"{self.title} ({self.author})"

    def get_absolute_url(self) -> str:
        return reverse("book", args=[self.pk])
