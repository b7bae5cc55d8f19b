"""Asks the monitor for the best realtime pathway and switches when the one in use is no longer healthy.

python examples/switch_pathway.py http://127.0.0.1:8080 realtime
"""

import json
import sys
import time
import urllib.request


def best(monitor: str, need: str, current: str | None = None) -> str | None:
    """The target to use: the current one while it is healthy, else the best healthy one, else None."""
    with urllib.request.urlopen(f"{monitor}/api/v1/advice?need={need}", timeout=5) as answer:
        healthy = [one["target"] for one in json.load(answer)["pathways"] if one["healthy"]]
    return current if current in healthy else next(iter(healthy), None)


def main(monitor: str = "http://127.0.0.1:8080", need: str = "realtime") -> None:
    """Print every switch; without a healthy pathway, say so and keep asking."""
    using: str | None = None
    while True:
        chosen = best(monitor, need, using)
        if chosen != using:
            print(
                f"{time.strftime('%H:%M:%S')} now using {chosen or 'nothing: no pathway is healthy'}",
                flush=True,
            )
            using = chosen
        time.sleep(2)


if __name__ == "__main__":
    main(*sys.argv[1:3])
