import Basics
import Glibc
import System

/// Asks a person at the terminal, or takes the next line of standard input where there is none.
///
/// Lines are read byte by byte: what follows one on standard input is for the next question.
enum Prompt {
    /// Whether somebody sits there.
    static var isPerson: Bool { isatty(STDIN_FILENO) == 1 }

    /// Asks for what others may see; nil where standard input has ended.
    static func line(_ question: String) -> String? {
        if isPerson { writeError(question) }
        return nextLine()
    }

    /// Asks for what nobody shall see: it is not echoed.
    static func secret(_ question: String) throws -> String {
        guard isPerson else {
            guard let line = nextLine(), !line.isEmpty else {
                throw CommandFailure("standard input has no line with the secret")
            }
            return line
        }
        var before = termios()
        guard tcgetattr(STDIN_FILENO, &before) == 0 else { throw CommandFailure("the terminal cannot be set") }
        // Whoever ends the program at the question must not be left with a terminal that shows nothing any more.
        SignalReader.block(askingSignals)
        let signals = try SignalReader(askingSignals)
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO)
        var answer = Answer.ended(by: .suspend)
        while case .ended(by: .suspend) = answer {
            // Before the question: a badge reader or a quick hand answers it at once. What is typed already stays typed.
            tcsetattr(STDIN_FILENO, TCSADRAIN, &silent)
            writeError(question)
            answer = nextLine(signals)
            tcsetattr(STDIN_FILENO, TCSADRAIN, &before)
            writeError("\n")
            // The shell gets its terminal back as it was; called to the foreground again, the question stands anew.
            if case .ended(by: .suspend) = answer { rest() }
        }
        SignalReader.unblock(askingSignals)
        switch answer {
        case .ended(by: let signal):
            // As without the question: whoever waits for the program sees what ended it.
            raise(signal.number)
            throw CommandFailure("it was ended")
        case .line(let line?) where !line.isEmpty: return line
        case .line: throw CommandFailure("nothing was typed")
        }
    }

    private static let askingSignals: [Signal] = [.terminate, .hangUp, .interrupt, .suspend]

    /// Stops the program as Ctrl-Z does without a question, until somebody calls it back.
    private static func rest() {
        raise(Signal.suspend.number)
        // It is delivered here, and this line is reached when the program goes on.
        SignalReader.unblock([.suspend])
        SignalReader.block([.suspend])
    }

    /// Asks twice at the terminal, so that a slip is noticed; what `check` refuses is asked for once.
    static func newSecret(
        _ question: String, again: String, check: (String) throws -> Void
    ) throws -> String {
        let first = try secret(question)
        try check(first)
        guard isPerson else { return first }
        guard try secret(again) == first else { throw CommandFailure("the two differ; nothing was changed") }
        return first
    }

    private enum Answer {
        case line(String?)
        case ended(by: Signal)
    }

    private static func nextLine(_ signals: SignalReader) -> Answer {
        while true {
            var descriptors = [
                pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
                pollfd(fd: signals.fileDescriptor, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&descriptors, 2, -1) > 0 else { continue }
            if let signal = signals.next() { return .ended(by: signal) }
            // The terminal gives whole lines.
            if descriptors[0].revents != 0 { return .line(nextLine()) }
        }
    }

    private static func nextLine() -> String? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        var isThere = false
        while bytes.count < 4096, Glibc.read(STDIN_FILENO, &byte, 1) == 1 {
            isThere = true
            if byte == UInt8(ascii: "\n") { break }
            bytes.append(byte)
        }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        return isThere ? String(validating: bytes, as: UTF8.self) : nil
    }

    private static func writeError(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
