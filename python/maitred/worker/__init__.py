"""The processes that run the user's application.

    front ══ zygote link (fd 3) ══ zygote ──fork──▶ worker ══ worker link, seat links ══ front

Standard library only, imported before the application, so: it imports little, patches nothing and owns no global state.
The bytes that travel are specified in src/wire/PROTOCOL.md.
"""
