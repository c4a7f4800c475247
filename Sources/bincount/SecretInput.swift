import Basics
import Glibc
import System

/// Reads what nobody shall see: from the terminal without echo, else a line of standard input.
enum SecretInput {
    /// Asks with a prompt on the terminal; without one, takes the next line of standard input.
    static func read(_ prompt: String) throws -> String {
        guard isatty(STDIN_FILENO) == 1 else { return try line(orFail: "standard input has no line with the secret") }
        writeError(prompt)
        var before = termios()
        guard tcgetattr(STDIN_FILENO, &before) == 0 else { throw CommandFailure("the terminal cannot be set") }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
            writeError("\n")
        }
        return try line(orFail: "nothing was typed")
    }

    /// Asks twice on the terminal, so that a slip is noticed.
    static func readNew(_ prompt: String, again: String) throws -> String {
        let first = try read(prompt)
        guard isatty(STDIN_FILENO) == 1 else { return first }
        guard try read(again) == first else { throw CommandFailure("the two differ; nothing was changed") }
        return first
    }

    /// Reads a line byte by byte: what follows it on standard input is somebody else's.
    private static func line(orFail message: String) throws -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while bytes.count < 4096, Glibc.read(STDIN_FILENO, &byte, 1) == 1, byte != UInt8(ascii: "\n") {
            bytes.append(byte)
        }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard !bytes.isEmpty, let text = String(validating: bytes, as: UTF8.self) else { throw CommandFailure(message) }
        return text
    }

    private static func writeError(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
