// Giving the terminal back when the program dies: only calls that a signal handler may make.

#define _GNU_SOURCE 1
#define NCURSES_WIDECHAR 1
#include <ncursesw/curses.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "CTerminal.h"
#include "internal.h"

static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS};
enum { FATAL = sizeof fatal / sizeof fatal[0] };

static struct sigaction previous[FATAL];
static struct termios modes;
static char restoring[256];
static size_t restoring_length;
static int terminal_in = -1;
static int terminal_out = -1;
static volatile sig_atomic_t armed;
static stack_t own_stack;

static int kept_errors = -1;
static int error_log = -1;
static off_t error_start; // what stood in the log before is not ours to show

void cterminal_remember(int input, int output) {
    terminal_in = input;
    terminal_out = output;
    tcgetattr(input, &modes);
}

// A capability without its padding marks `$<5>`.
static void append(const char *capability) {
    if (!capability || capability == (char *)-1) return;
    while (*capability && restoring_length + 1 < sizeof restoring) {
        if (capability[0] == '$' && capability[1] == '<') {
            const char *end = strchr(capability, '>');
            if (end) {
                capability = end + 1;
                continue;
            }
        }
        restoring[restoring_length++] = *capability++;
    }
}

static void copy_errors(int to) {
    char text[2048];
    off_t end = lseek(error_log, 0, SEEK_END);
    if (end <= error_start) return;
    off_t from = end - (off_t)sizeof text;
    lseek(error_log, from > error_start ? from : error_start, SEEK_SET);
    ssize_t count = read(error_log, text, sizeof text);
    if (count > 0 && write(to, text, (size_t)count) < 0) return;
}

void cterminal_emergency_restore(void) {
    if (!armed) return;
    armed = 0;
    size_t done = 0;
    while (done < restoring_length) {
        ssize_t written = write(terminal_out, restoring + done, restoring_length - done);
        if (written <= 0) break;
        done += (size_t)written;
    }
    tcsetattr(terminal_in, TCSANOW, &modes);
    if (kept_errors >= 0) {
        // What Swift said before it trapped went to the log: show it.
        copy_errors(kept_errors);
        dup2(kept_errors, STDERR_FILENO);
    }
}

static void handle(int number, siginfo_t *info, void *context) {
    (void)context;
    int saved = errno;
    cterminal_emergency_restore();
    for (int i = 0; i < FATAL; i++)
        if (fatal[i] == number) sigaction(number, &previous[i], NULL);
    errno = saved;
    // A fault comes again when its instruction is tried again, and then the previous handler sees it whole; what was
    // sent by a call, such as abort, is sent again.
    if (info->si_code <= 0) raise(number);
}

void cterminal_arm(void) {
    restoring_length = 0;
    append("\033[?2004l");
    append(tigetstr("rmkx"));
    append(tigetstr("sgr0"));
    append(tigetstr("cnorm"));
    append(tigetstr("rmcup"));
    append("\r\n");
    if (!own_stack.ss_sp) {
        stack_t old;
        // Swift's own backtracer may have given this thread a stack already.
        if (sigaltstack(NULL, &old) == 0 && (old.ss_flags & SS_DISABLE)) {
            own_stack.ss_size = 65536;
            own_stack.ss_sp = malloc(own_stack.ss_size);
            if (own_stack.ss_sp) sigaltstack(&own_stack, NULL);
        }
    }
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    armed = 1;
    for (int i = 0; i < FATAL; i++) sigaction(fatal[i], &action, &previous[i]);
}

void cterminal_disarm(void) {
    armed = 0;
    for (int i = 0; i < FATAL; i++) {
        struct sigaction now;
        // Somebody who installed a handler after us keeps it.
        if (sigaction(fatal[i], NULL, &now) == 0 && now.sa_sigaction == handle)
            sigaction(fatal[i], &previous[i], NULL);
    }
}

int cterminal_divert_errors(const char *path) {
    if (kept_errors >= 0) return EBUSY;
    int log = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0) return errno;
    int kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (kept < 0 || dup2(log, STDERR_FILENO) < 0) {
        int failure = errno;
        close(log);
        if (kept >= 0) close(kept);
        return failure;
    }
    error_start = lseek(log, 0, SEEK_END);
    error_log = log;
    kept_errors = kept;
    return 0;
}

void cterminal_restore_errors(bool copy) {
    if (kept_errors < 0) return;
    dup2(kept_errors, STDERR_FILENO);
    if (copy) copy_errors(STDERR_FILENO);
    close(kept_errors);
    close(error_log);
    kept_errors = error_log = -1;
}
