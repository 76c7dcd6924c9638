"""``python -m bench``: all benchmarks; prints the figures and keeps them in bench/latest.json."""

import json
import sys
from pathlib import Path

from bench import load_lag, proxy, report, stack

_HERE = Path(__file__).parent


def main() -> None:
    """Measure everything."""
    figures = {
        "generator_alone": load_lag.measure_all(3.0),
        "proxy": proxy.measure(_HERE.parent),
        "report": report.measure(),
        "stack": stack.measure(_HERE.parent),
    }
    text = json.dumps(figures, indent=1)
    (_HERE / "latest.json").write_text(text + "\n")
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
