"""Tests, one folder a tier, mirroring the tree."""
