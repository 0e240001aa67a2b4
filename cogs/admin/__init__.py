"""`/patreon`: what those who manage roles set up, start and ask. One file for each part of the command."""
