"""Servers that tests of systems share; each is started when the first test asks for it."""

from systems.azurite_server import lake
from systems.postgres_server import postgres

__all__ = ["lake", "postgres"]
