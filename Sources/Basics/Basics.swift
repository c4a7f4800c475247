// Clock, identifiers, randomness, log, JSON and argument parsing.
