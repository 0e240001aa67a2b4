"""What holds for every test: a search is judged by what it finds, never by how busy the machine is."""

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
