import Assembly
import Basics
import Demo
import Glibc
import System
import Terminal

/// `bincount demo`: a warehouse to try everything on.
enum DemoCommand {
    static let command = Program.Command(
        name: "demo", summary: "a sample warehouse, hub and colleagues, to try it out",
        help: """
            bincount demo [--data DIR] [--fresh] [--config FILE] …
            bincount demo --script [--data DIR] [--verbose]

            Starts a hub, a control desk and a sample warehouse of 200 bins on this machine, signs you in as Ann and lets
            two computed colleagues count beside you. F9 scans what lies in front of you, F8 shows the supervisor's
            view and goes back, F3 leaves; a second run goes on where the first ended, --fresh begins again. It prints
            the command lines that attach a second counter's terminal and a supervisor. DIR is
            ~/.local/share/bincount-demo unless given. A scanner of your own may be set as `bincount help count` says.

            --script, or no terminal: plays a whole shift of three counters (one of them offline half of the time) and
            a supervisor through the real apps, hub and desk, prints what was counted and exported and checks that
            everything adds up: exit 0 only then.
            """,
        readsSignals: true, run: run)

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let isScript = arguments.flag("--script")
        let isFresh = arguments.flag("--fresh")
        let data = try arguments.value("--data", "DIR")
        let options = try TerminalSettings.options(Settings(TerminalSettings.all, &arguments))
        let log = Options.log(&arguments)
        guard try arguments.rest().isEmpty else { throw UsageError("it takes only options") }
        if isScript || isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1 { return try playShift(log) }
        guard let home = data ?? Options.environment("HOME").map({ $0 + "/.local/share/bincount-demo" }) else {
            throw UsageError("HOME is not set: say where with --data DIR")
        }
        return try DemoTerminal.run(directory: home, isFresh: isFresh, options: options, log: log)
    }

    /// The shift leaves nothing behind: it plays in a directory of its own.
    private static func playShift(_ log: Log) throws -> Int32 {
        let directory = try TempDirectory("bincount-shift")
        let signals = try SignalReader([.terminate, .hangUp, .interrupt])
        Task.detached {
            let signal = await signals.wait()
            try? Files.removeTree(directory.path)
            exit(128 + signal.number)
        }
        let step = Locked("start")
        // A shift that waits for what never comes is a fault too, and says what it waited for.
        Task.detached {
            try await Task.sleep(for: .seconds(300))
            try? Files.removeTree(directory.path)
            printError("bincount demo: the shift did not end within 5 minutes; the last step was: \(step.current)")
            exit(1)
        }
        let report = try waitFor {
            try await Shift(directory: directory.path) { line in
                step.withLock { $0 = line }
                print("… " + line)
                flushOutput()
            }.play(log: log)
        }
        print("")
        for line in report.lines { print(line) }
        guard report.faults.isEmpty else {
            for fault in report.faults { printError("bincount demo: \(fault)") }
            return 1
        }
        print("everything adds up")
        return 0
    }
}
