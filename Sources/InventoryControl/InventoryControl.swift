// The control desk: tasks, verdicts, recounts, decisions, import and export.
