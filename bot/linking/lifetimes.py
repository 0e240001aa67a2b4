"""How long a state, a question and what is known of them last. How long a person waits at a page: `consent_flow.py`."""

from datetime import timedelta

STATE_LIFETIME = timedelta(minutes=10)  # from the command to Patreon's answer
QUESTION_LIFETIME = timedelta(minutes=10)  # from Patreon's answer to a Yes on our page
REPEAT_LIFETIME = timedelta(seconds=60)  # for so long a browser that repeats Patreon's answer gets the same page
STATES_KEPT = timedelta(hours=24)  # so that "used", "expired" and "never ours" are different pages
