"""The backend of a shop."""
