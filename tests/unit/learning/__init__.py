"""Tests of the learner models."""
