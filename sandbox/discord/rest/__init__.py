"""Discord's REST API, one file for each resource; `front.py` is the door that every request comes through."""
