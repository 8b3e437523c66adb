"""Unity's backend: a homelab monitoring service."""
