"""Cannot be imported."""


def prepare() -> None:
    raise ValueError("the database has no name")


prepare()
