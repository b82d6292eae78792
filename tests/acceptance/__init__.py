"""Real processes, kills, a real browser."""
