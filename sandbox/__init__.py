"""A stand-in Discord and a stand-in Patreon, over real sockets, to run the whole bot with no account.

Knows nothing of `bot`: it stands in for other people's services, and sharing code with us would hide our mistakes.
"""
