// The terminal edge, over CTerminal (ncursesw).
