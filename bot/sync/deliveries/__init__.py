"""What Patreon's webhooks deliver: a genuine delivery names somebody, who is read again. Trusts nothing else of it."""
