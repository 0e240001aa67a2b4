"""Everything of the bot that speaks with Discord: the client, looking at members, writing roles, telling, answering."""
