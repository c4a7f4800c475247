// Executors, files, locks, child processes and signals.
