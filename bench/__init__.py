"""Measurements; each prints ratios inside one run where it can. `make bench` runs all."""
