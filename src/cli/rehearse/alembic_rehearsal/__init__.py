"""Rehearse a chain on a throwaway database, and observe what it does."""
