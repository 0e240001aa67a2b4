"""What fails between us and Discord: it refused, it gave no usable answer, or the network lost one.

discord.py's own errors, and those of aiohttp and of the system, which it lets through. A time-out is one of the
system's: `TimeoutError` is an `OSError`.
"""

import aiohttp
import discord

DISCORD_FAILURES = (discord.DiscordException, aiohttp.ClientError, OSError)
