// The whole of ncursesw that Bincount uses, behind a header of our own: Swift never sees curses.h, whose macros,
// globals and variadic functions it cannot import.
//
// All functions but cterminal_emergency_restore belong to the one thread that opened the terminal.

#ifndef CTERMINAL_H
#define CTERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    CTERMINAL_BOLD = 1,
    CTERMINAL_REVERSE = 2,
    CTERMINAL_UNDERLINE = 4,
    CTERMINAL_DIM = 8,
    CTERMINAL_BLINK = 16,
};

// One cell: a base character with at most two combining marks; width 0 is the second half of a wide character.
struct cterminal_cell {
    uint32_t scalar;
    uint32_t marks[2];
    uint8_t style;
    uint8_t width;
};

// What cterminal_read_key found.
enum cterminal_key {
    CTERMINAL_NONE,
    CTERMINAL_CHARACTER, // its scalar in *value
    CTERMINAL_FUNCTION,  // its number in *value
    CTERMINAL_ENTER,
    CTERMINAL_BACKSPACE,
    CTERMINAL_BACK_TAB,
    CTERMINAL_UP,
    CTERMINAL_DOWN,
    CTERMINAL_LEFT,
    CTERMINAL_RIGHT,
    CTERMINAL_HOME,
    CTERMINAL_END,
    CTERMINAL_PAGE_UP,
    CTERMINAL_PAGE_DOWN,
    CTERMINAL_INSERT,
    CTERMINAL_DELETE,
    CTERMINAL_PASTE_START,
    CTERMINAL_PASTE_END,
    CTERMINAL_OTHER, // a key without a use here
};

// Takes the locale of the environment, or C.UTF-8 where that is not UTF-8. Answers whether UTF-8 can be shown.
bool cterminal_set_locale(void);

// Opens the terminal behind two descriptors; a null `type` means $TERM. Answers NULL, or what went wrong.
// While it is open a fatal signal restores the terminal before the handler that stood before runs.
const char *cterminal_open(const char *type, int input, int output, int escape_delay);

// Gives the terminal back as it was found.
void cterminal_close(void);

// Leaves the terminal to somebody else, and takes it again with everything repainted.
void cterminal_suspend(void);
void cterminal_resume(void);

// Reads the size from the terminal and makes it the screen's. Answers false where it has no size.
bool cterminal_resize(int *columns, int *rows);

// The size that the screen has.
void cterminal_size(int *columns, int *rows);

// Puts cells from a place on, within one row.
void cterminal_put(int row, int column, const struct cterminal_cell *cells, size_t count);

// Where the cursor stands after the next flush; hidden for a negative row.
void cterminal_cursor(int row, int column);

// Writes what changed to the terminal. With `all`, everything, for a screen that somebody else wrote on.
void cterminal_flush(bool all);

// The next key that has come, without waiting.
enum cterminal_key cterminal_read_key(uint32_t *value);

// Writes bytes past curses: bells and the terminal's own escape strings.
void cterminal_write(const char *bytes, size_t count);

// Whether the terminal can turn its whole screen to inverse.
bool cterminal_can_flash(void);

// The bytes that this thread wrote to any descriptor so far, or -1 where the kernel does not count them.
int64_t cterminal_bytes_written(void);

// Sends standard error to a file while the terminal is open. Answers 0 or an errno.
int cterminal_divert_errors(const char *path);

// Takes standard error back; then copies the last lines that were diverted to it.
void cterminal_restore_errors(bool copy);

// Restores the terminal with calls that a signal handler may make.
void cterminal_emergency_restore(void);

// A pseudo terminal for tests: the master's descriptor, the slave's in *slave. -1 on failure.
int cterminal_open_pseudo_terminal(int columns, int rows, int *slave);

// wcwidth, for checking our own table against it. Needs cterminal_set_locale first.
int cterminal_wcwidth(uint32_t scalar);

#endif
