"""What people type, and how it is judged."""
