import Glibc

/// How far a long piece of work is, on standard error: one line that is written over at a terminal; elsewhere a line at each
/// tenth, and only where it is asked for, so that no log of a nightly job fills with it.
struct ProgressLine {
    private let what: String
    private let isTerminal: Bool
    private let isSilent: Bool
    private var shown = -1

    init(_ what: String, isAsked: Bool) {
        self.what = what
        isTerminal = isatty(STDERR_FILENO) == 1
        isSilent = !isTerminal && !isAsked
    }

    /// Shows that `done` of `total` parts are done.
    mutating func show(_ done: Int, _ total: Int) {
        let percent = total > 0 ? done * 100 / total : 100
        let step = isTerminal ? percent : percent / 10 * 10
        guard step > shown else { return }
        shown = step
        say("\(step) %")
    }

    /// Shows what it has come to.
    mutating func say(_ text: String) {
        guard !isSilent else { return }
        write(isTerminal ? "\r\(what): \(text)\u{1B}[K" : "\(what): \(text)\n")
    }

    /// Takes the line away again.
    func end() {
        if isTerminal { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
    }
}
