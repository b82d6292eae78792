"""Fast tests of one piece."""
