"""What a bot sends, checked as Discord checks it, and what becomes of it. Pure: no state, no answer, no event."""
