"""Tests of the Python side: `PYTHON -m unittest discover -s python/tests -t python`. Nothing needs to be installed."""
