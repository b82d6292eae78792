"""Tests against known truth and published values."""
