"""What every part of the process leans on: the clock, health, logs, work in the background. Knows no other room."""
