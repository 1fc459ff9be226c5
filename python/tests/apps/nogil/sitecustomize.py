"""On the PYTHONPATH this makes any Python say that it is free-threaded, until a module asks for the GIL."""
import sys

sys._is_gil_enabled = lambda: "needs_gil" in sys.modules
