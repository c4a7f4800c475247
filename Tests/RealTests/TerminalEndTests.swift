import Basics
import System
import Testing

/// However a screen is ended, the terminal is given back as it was and the store is whole.
@Suite(.enabled(if: Built.isThere, "build the programs first: swift build"), .serialized, .timeLimit(.minutes(1)))
struct TerminalEndTests {
    enum Way: CaseIterable {
        case keys, control, terminate, hangUp
    }

    private func end(_ terminal: PseudoTerminal, _ way: Way, keys: String) async throws {
        switch way {
        case .keys: terminal.type(keys)
        case .control:
            terminal.type("\u{3}")
            try await terminal.expect("Ctrl-C once more")
            terminal.type("\u{3}")
        case .terminate: terminal.send(.terminate)
        case .hangUp: terminal.send(.hangUp)
        }
        #expect(await terminal.wait() == .code(0), "\(way)")
        #expect(terminal.echoes, "\(way)")
        // Out of the other screen, the cursor there again, and no paste marked any more.
        for sequence in ["\u{1B}[?1049l", "\u{1B}[?2004l"] { #expect(terminal.shown.contains(sequence), "\(way)") }
    }

    @Test(arguments: Way.allCases)
    func `a counter's screen gives the terminal back`(_ way: Way) async throws {
        let directory = try TempDirectory("end")
        let terminal = try PseudoTerminal([Built.program, "count", "--data", directory.path])
        try await terminal.expect("SCAN YOUR BADGE")
        if way == .keys {
            terminal.type("\u{1B}OR")
            try await terminal.expect("SWITCH OFF?")
            // A digit that comes with the question is none: it must have been read.
            terminal.type("2")
            try await terminal.expect("read it, then answer")
            terminal.type("\u{3}\u{3}")
            #expect(await terminal.wait() == .code(0))
            #expect(terminal.echoes)
        } else {
            try await end(terminal, way, keys: "")
        }
        let verified = try await bincount("verify", "--data", directory.path)
        #expect(verified.code == .code(0), "\(verified.out) \(verified.error)")
        let again = try PseudoTerminal([Built.program, "count", "--data", directory.path])
        try await again.expect("SCAN YOUR BADGE")
        try await end(again, .terminate, keys: "")
    }

    @Test func `Ctrl-Z at a question for a secret gives the shell its terminal back, and the question stands again`()
        async throws
    {
        let site = try Site()
        // A shell that leaves the terminal's settings alone, so that what it gets is what the program left.
        let shell = try PseudoTerminal(["/bin/sh", "-i"])
        shell.type("set -m; '\(Built.program)' hub person set-pin --data '\(site.hub)' --badge sue\r")
        try await shell.expect("PIN of sue: ")
        #expect(!shell.echoes)
        shell.type("\u{1A}")
        try await shell.expect("Stopped")
        #expect(shell.echoes)
        shell.type("fg\r")
        try await shell.expect("PIN of sue: ")
        #expect(!shell.echoes)
        shell.type("4711\r")
        try await shell.expect("again: ")
        shell.type("4711\r")
        try await shell.expect("sue signs in with the badge sue")
        shell.type("exit\r")
        _ = await shell.wait()
        #expect(!shell.shown.contains("4711"))
    }
}
