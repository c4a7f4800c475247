"""What the client scripts share: checks that count, and stop at the first that fails."""

import sys

# Seconds; only against hanging, and far more than a busy machine takes.
PATIENCE = 60


class Checks:
    def __init__(self, name):
        self.name = name
        self.count = 0

    def __call__(self, condition, text, *facts):
        self.count += 1
        if not condition:
            print(f"{self.name} failed: {text}", *facts)
            sys.exit(1)

    def equal(self, found, expected, text):
        self(found == expected, text, f"\n  found    {found!r}\n  expected {expected!r}")

    def done(self):
        print(f"{self.name}: {self.count} checks hold")
