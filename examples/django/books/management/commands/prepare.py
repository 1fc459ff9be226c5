"""`manage.py prepare`: everything the example needs before its first request. Running it again changes nothing."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand

from books.models import Book

SEED = [
    ("The Left Hand of Darkness", "Ursula K. Le Guin", "A winter planet, two envoys, one sledge."),
    ("The Periodic Table", "Primo Levi", "Twenty-one elements, one life."),
    ("Invisible Cities", "Italo Calvino", "Marco Polo tells the Khan about Venice, and about nothing else."),
    ("A Psalm for the Wild-Built", "Becky Chambers", "Tea, a robot, and the question what people need."),
    ("小王子", "Antoine de Saint-Exupéry", "In another alphabet, so that you see UTF-8 work."),
]


class Command(BaseCommand):
    help = "Creates the database, the user admin (password: admin) and some books."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        # A password everybody knows: for this example on your own machine only.
        users = get_user_model()
        if not users.objects.filter(username="admin").exists():
            users.objects.create_superuser("admin", "admin@example.com", "admin")
        if not Book.objects.exists():
            for title, author, note in reversed(SEED):
                Book.objects.create(title=title, author=author, note=note)
        self.stdout.write("The reading list is ready. Admin: user admin, password admin.")
