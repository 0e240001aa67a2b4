"""For whoever runs the bot: the commands of `python run.py`, what a start says, and what Prometheus reads."""
