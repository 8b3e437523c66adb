"""Tests of the backend, with a real PostgreSQL."""
