"""For whoever runs the bot: `check`, the change of encryption keys, and what Prometheus may count."""
