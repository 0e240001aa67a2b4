"""Start Pledgekeeper: `python run.py` runs the bot, `python run.py --help` names the other commands."""

import signal
import sys

if sys.version_info < (3, 11):  # noqa: UP036  an older Python is to be told in words
    sys.exit("Pledgekeeper needs Python 3.11 or newer")

if not sys.argv[1:]:  # the bot: until it listens itself, there is nothing to end, and to load it takes a second
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))

try:
    from bot.cli import main
except ModuleNotFoundError as missing:
    sys.exit(f"The library {missing.name} is not installed. `make .venv` installs all; then: .venv/bin/python run.py")

if __name__ == "__main__":
    main()
