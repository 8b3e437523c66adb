"""Modules of `render_chain.py`, in a package so that their names don't collide with those of the project."""
