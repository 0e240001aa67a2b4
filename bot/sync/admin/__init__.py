"""The verbs of those who manage a server: rules, adoption, accepting a list that looks wrong, settings."""
