// Shared by the files of CTerminal only.

#ifndef CTERMINAL_INTERNAL_H
#define CTERMINAL_INTERNAL_H

// Keeps the modes that the terminal has now, to be restored by a crash.
void cterminal_remember(int input, int output);

// Composes the restoring string from the terminal's description and installs the handlers of fatal signals.
void cterminal_arm(void);

// Puts back the handlers that stood before.
void cterminal_disarm(void);

#endif
