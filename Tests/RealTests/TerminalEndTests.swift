import Basics
import System
import Testing

/// However a screen is ended, the terminal is given back as it was and the store is whole.
@Suite(.enabled(if: Built.isThere, "build the programs first: swift build"), .serialized, .timeLimit(.minutes(5)))
struct TerminalEndTests {
    enum Way: CaseIterable {
        case control, terminate, hangUp
    }

    private func end(_ terminal: PseudoTerminal, _ way: Way) async throws {
        switch way {
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
    func `a counter's screen gives the terminal back and leaves a store that is whole`(_ way: Way) async throws {
        let directory = try TempDirectory("end")
        let terminal = try PseudoTerminal([Built.program, "count", "--data", directory.path])
        try await terminal.expect("SCAN YOUR BADGE")
        try await end(terminal, way)
        let verified = try await bincount("verify", "--data", directory.path)
        #expect(verified.code == .code(0), "\(verified.out) \(verified.error)")
        // Nothing holds the directory any more.
        let again = try PseudoTerminal([Built.program, "count", "--data", directory.path])
        try await again.expect("SCAN YOUR BADGE")
        try await end(again, .terminate)
    }

    @Test(arguments: Way.allCases)
    func `a supervisor's view and the demo behind it give the terminal back`(_ way: Way) async throws {
        let directory = try TempDirectory("end")
        let demo = try PseudoTerminal([Built.program, "demo", "--data", directory.path])
        try await demo.expect("NEXT BINS")
        demo.type("\u{1B}[19~")
        try await demo.expect("EXCEPTIONS")
        try await end(demo, way)
        let verified = try await bincount("verify", "--data", directory.path + "/ann")
        #expect(verified.code == .code(0), "\(verified.out) \(verified.error)")
    }

    @Test func `a digit that comes with the question whether to switch off does not`() async throws {
        let directory = try TempDirectory("end")
        let terminal = try PseudoTerminal([Built.program, "count", "--data", directory.path])
        try await terminal.expect("SCAN YOUR BADGE")
        terminal.type("\u{1B}OR")
        try await terminal.expect("SWITCH OFF?")
        terminal.type("2")
        try await terminal.expect("read it, then answer")
        try await end(terminal, .control)
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
        shell.type("471108\r")
        try await shell.expect("again: ")
        shell.type("471108\r")
        try await shell.expect("sue signs in with the badge sue")
        shell.type("exit\r")
        _ = await shell.wait()
        #expect(!shell.shown.contains("471108"))
    }
}
