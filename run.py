"""Start Pledgekeeper: `python run.py` runs the bot, `python run.py --help` names the other commands."""

import signal
import sys

if sys.version_info < (3, 11):  # noqa: UP036  an older Python is to be told in words
    sys.exit("Pledgekeeper needs Python 3.11 or newer")

IS_BOT = sys.argv[1:2] in ([], ["bot"])

# To load it takes a second, and until then there is nothing to end: Ctrl-C is no fault, and to stop a bot is none.
signal.signal(signal.SIGINT, lambda *_: sys.exit(0 if IS_BOT else 130))
if IS_BOT:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

try:
    from bot.cli import main
except ModuleNotFoundError as missing:
    sys.exit(f"The library {missing.name} is not installed. `make .venv` installs all; then: .venv/bin/python run.py")

if __name__ == "__main__":
    if not IS_BOT:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    main()
