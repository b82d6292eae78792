"""StudySmart: an adaptive-practice server that forecasts every next task."""

__version__ = "0.3.0"
