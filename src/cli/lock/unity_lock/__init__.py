"""What `ask_alembic.py` is made of; a package, so that no module of the asked project has the same name."""
