"""How fast, how frugal: ratios measured in one run against the stand-ins. `python -m bench`, or `make bench`."""
