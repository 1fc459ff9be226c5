"""As much of numpy.random as preloading concerns."""
import random

_global = random.Random(1)


class Generator:
    pass


def seed():
    _global.seed()


def rand():
    return _global.random()
