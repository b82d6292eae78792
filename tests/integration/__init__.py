"""Tests of several layers together, in one process."""
