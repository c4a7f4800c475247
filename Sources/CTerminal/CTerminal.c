// Drawing, keys, size: see CTerminal.h. The ways out of a crash are in restore.c.

#define _GNU_SOURCE 1
#define NCURSES_WIDECHAR 1
#include <ncursesw/curses.h>

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <pthread.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "CTerminal.h"
#include "internal.h"

enum { KEY_PASTE_START = KEY_MAX + 1, KEY_PASTE_END = KEY_MAX + 2 };

static SCREEN *screen;
// Keys are read through a pad of their own: reading through stdscr would refresh it.
static WINDOW *keys;
static FILE *input_file;
static FILE *output_file;
static int output_descriptor = -1;
static bool is_utf8;
static int cursor_row = -1;
static int cursor_column;

static void take_locale(void) {
    setlocale(LC_ALL, "");
    is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    if (!is_utf8) {
        // In the "C" locale input beyond ASCII vanishes without any error.
        is_utf8 = setlocale(LC_CTYPE, "C.UTF-8") != NULL && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    }
    // Numbers are printed and read in one form everywhere.
    setlocale(LC_NUMERIC, "C");
}

bool cterminal_set_locale(void) {
    // Once only: another thread must not meet the moment between the environment's locale and ours.
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, take_locale);
    return is_utf8;
}

const char *cterminal_open(const char *type, int input, int output, int escape_delay) {
    if (screen) return "a terminal is open already";
    if (!isatty(input) || !isatty(output)) return "standard input and output are no terminal";
    int in = dup(input), out = dup(output);
    if (in < 0 || out < 0) return "no descriptor left for the terminal";
    input_file = fdopen(in, "r");
    output_file = fdopen(out, "w");
    if (!input_file || !output_file) return "no memory for the terminal";
    cterminal_remember(in, out);
    use_tioctl(TRUE);
    screen = newterm(type, output_file, input_file);
    if (!screen) {
        fclose(input_file);
        fclose(output_file);
        return "the terminal's type (TERM) is not known";
    }
    output_descriptor = out;
    set_term(screen);
    raw();
    noecho();
    nonl();
    set_escdelay(escape_delay);
    scrollok(stdscr, FALSE);
    idlok(stdscr, TRUE);
    leaveok(stdscr, FALSE);
    keys = newpad(1, 1);
    keypad(keys, TRUE);
    nodelay(keys, TRUE);
    define_key("\033[200~", KEY_PASTE_START);
    define_key("\033[201~", KEY_PASTE_END);
    cterminal_arm();
    cterminal_write("\033[?2004h", 8);
    wrefresh(stdscr);
    return NULL;
}

void cterminal_close(void) {
    if (!screen) return;
    cterminal_write("\033[?2004l", 8);
    delwin(keys);
    keys = NULL;
    curs_set(1);
    endwin();
    cterminal_disarm();
    delscreen(screen);
    screen = NULL;
    fclose(input_file);
    fclose(output_file);
    output_descriptor = -1;
    cursor_row = -1;
}

void cterminal_suspend(void) {
    if (!screen) return;
    cterminal_write("\033[?2004l", 8);
    def_prog_mode();
    endwin();
}

void cterminal_resume(void) {
    if (!screen) return;
    reset_prog_mode();
    cterminal_write("\033[?2004h", 8);
    clearok(curscr, TRUE);
    wrefresh(stdscr);
}

bool cterminal_resize(int *columns, int *rows) {
    struct winsize size;
    if (!screen || ioctl(output_descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        return false;
    if (size.ws_row != LINES || size.ws_col != COLS) resizeterm(size.ws_row, size.ws_col);
    cterminal_size(columns, rows);
    return true;
}

void cterminal_size(int *columns, int *rows) {
    *columns = screen ? getmaxx(stdscr) : 0;
    *rows = screen ? getmaxy(stdscr) : 0;
}

// Letters for a terminal that has ASCII only.
static wchar_t ascii(uint32_t scalar) {
    static const char letters[] = "AAAAAAACEEEEIIIIDNOOOOOxOUUUUYTsaaaaaaaceeeeiiiidnooooo/ouuuuyty";
    if (scalar < 0x7F) return (wchar_t)scalar;
    if (scalar >= 0xC0 && scalar <= 0xFF) return letters[scalar - 0xC0];
    return '?';
}

void cterminal_put(int row, int column, const struct cterminal_cell *cells, size_t count) {
    if (!screen) return;
    for (size_t i = 0; i < count; i++) {
        const struct cterminal_cell *cell = &cells[i];
        if (cell->width == 0) continue;
        attr_t style = A_NORMAL;
        if (cell->style & CTERMINAL_BOLD) style |= A_BOLD;
        if (cell->style & CTERMINAL_REVERSE) style |= A_REVERSE;
        if (cell->style & CTERMINAL_UNDERLINE) style |= A_UNDERLINE;
        if (cell->style & CTERMINAL_DIM) style |= A_DIM;
        if (cell->style & CTERMINAL_BLINK) style |= A_BLINK;
        wchar_t text[4] = {0};
        size_t length = 0;
        text[length++] = is_utf8 ? (wchar_t)cell->scalar : ascii(cell->scalar);
        for (int m = 0; m < 2; m++)
            if (is_utf8 && cell->marks[m]) text[length++] = (wchar_t)cell->marks[m];
        // A width that the C library does not share would shift the row: show a stand-in of the width we planned.
        if (text[0] > 0x7E && wcwidth(text[0]) != cell->width) {
            text[0] = '?';
            text[1] = 0;
        }
        cchar_t wide;
        if (setcchar(&wide, text, style, 0, NULL) != OK) continue;
        // Answers ERR in the last cell of the screen, where the cursor cannot move on; the cell is written.
        mvwadd_wch(stdscr, row, column + (int)i, &wide);
        if (cell->width == 2 && wcwidth(text[0]) == 1) {
            cchar_t blank;
            setcchar(&blank, L" ", style, 0, NULL);
            mvwadd_wch(stdscr, row, column + (int)i + 1, &blank);
        }
    }
}

void cterminal_cursor(int row, int column) {
    cursor_row = row;
    cursor_column = column;
}

void cterminal_flush(bool all) {
    static int shown = -1;
    if (!screen) return;
    if (all) {
        clearok(curscr, TRUE);
        shown = -1;
    }
    int show = cursor_row >= 0;
    if (show != shown) curs_set(show);
    shown = show;
    if (show) wmove(stdscr, cursor_row, cursor_column);
    wrefresh(stdscr);
}

enum cterminal_key cterminal_read_key(uint32_t *value) {
    wint_t key = 0;
    *value = 0;
    if (!screen) return CTERMINAL_NONE;
    int kind = wget_wch(keys, &key);
    if (kind == ERR) return CTERMINAL_NONE;
    if (kind == OK) {
        *value = (uint32_t)key;
        return key == 0x7F || key == 0x08 ? CTERMINAL_BACKSPACE : CTERMINAL_CHARACTER;
    }
    if (key >= (wint_t)KEY_F(1) && key <= (wint_t)KEY_F(24)) {
        *value = (uint32_t)(key - KEY_F0);
        return CTERMINAL_FUNCTION;
    }
    switch (key) {
    case KEY_ENTER: return CTERMINAL_ENTER;
    case KEY_BACKSPACE: return CTERMINAL_BACKSPACE;
    case KEY_BTAB: return CTERMINAL_BACK_TAB;
    case KEY_UP: return CTERMINAL_UP;
    case KEY_DOWN: return CTERMINAL_DOWN;
    case KEY_LEFT: return CTERMINAL_LEFT;
    case KEY_RIGHT: return CTERMINAL_RIGHT;
    case KEY_HOME: return CTERMINAL_HOME;
    case KEY_END: return CTERMINAL_END;
    case KEY_PPAGE: return CTERMINAL_PAGE_UP;
    case KEY_NPAGE: return CTERMINAL_PAGE_DOWN;
    case KEY_IC: return CTERMINAL_INSERT;
    case KEY_DC: return CTERMINAL_DELETE;
    case KEY_PASTE_START: return CTERMINAL_PASTE_START;
    case KEY_PASTE_END: return CTERMINAL_PASTE_END;
    default: return CTERMINAL_OTHER;
    }
}

void cterminal_write(const char *bytes, size_t count) {
    while (screen && count > 0) {
        ssize_t written = write(output_descriptor, bytes, count);
        if (written < 0) {
            if (errno == EINTR) continue;
            return;
        }
        bytes += written;
        count -= (size_t)written;
    }
}

bool cterminal_can_flash(void) {
    return screen && tigetstr("flash") != NULL && tigetstr("flash") != (char *)-1;
}

int64_t cterminal_bytes_written(void) {
    long long bytes = -1;
    FILE *file = fopen("/proc/thread-self/io", "re");
    if (!file) return -1;
    char line[80];
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "wchar: %lld", &bytes) == 1) break;
    fclose(file);
    return bytes;
}

int cterminal_open_pseudo_terminal(int columns, int rows, int *slave) {
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    int master = -1;
    return openpty(&master, slave, NULL, NULL, &size) == 0 ? master : -1;
}

int cterminal_wcwidth(uint32_t scalar) {
    return wcwidth((wchar_t)scalar);
}
