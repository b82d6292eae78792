"""Generators, tried as a learner meets them."""
