import Basics
import CountingApp
import Demo
import Glibc
import System

/// `bincount demo`: a sample warehouse to play in, or a whole shift played by itself.
enum DemoCommand {
    static let command = Program.Command(
        name: "demo", summary: "a sample warehouse to try it in",
        help: """
            bincount demo [--data DIR] [--fresh] [--script]

            Starts a hub and a control desk in this process with a warehouse of 200 bins, and opens the counting screen:
            you are Ann, two computed colleagues count beside you. F9 pulls the scanner's trigger, F8 shows the
            supervisor's view, F3 leaves. Everything is kept in DIR (~/.local/share/bincount-demo), so that a second run
            goes on; --fresh begins again.
            --script, or no terminal, plays a shift of three counters and a supervisor through the real app and the real
            hub in a directory of its own, and reports what was counted, which variances were found, and what was
            exported. Exit 0 only if everything adds up.
            """,
        run: run)

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let home = Options.environment("HOME") ?? "/tmp"
        let data = try arguments.value("--data", "DIR") ?? home + "/.local/share/bincount-demo"
        let fresh = arguments.flag("--fresh")
        let isScript = arguments.flag("--script") || isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0
        guard try arguments.rest().isEmpty else { throw UsageError("it takes only options") }
        if isScript { return try script() }
        if fresh { try Files.removeTree(data) }
        try Files.createDirectory(data)
        let lock = try FileLock(data + "/demo.lock")
        defer { withExtendedLifetime(lock) {} }
        print("Starting the hub, the desk and the sample warehouse …")
        flushOutput()
        let demo = try waitFor { try await PlayableDemo.start(directory: data) }
        let invitation = demo.invitation(program: CommandLine.arguments[0])
        print(invitation)
        print("Press Enter to begin.")
        flushOutput()
        _ = readLine()
        let exit = try demo.run(screens: try AppScreens.load(directory: nil), log: data + "/error.log")
        print(invitation.split(separator: "\n").dropLast().joined(separator: "\n"))
        try waitFor { await demo.stop() }
        return exit
    }

    private static func script() throws -> Int32 {
        let directory = try TempDirectory("bincount-shift")
        let path = directory.path
        let report = try waitFor {
            try await ScriptedShift.run(directory: path) { line in
                print(line)
                flushOutput()
            }
        }
        withExtendedLifetime(directory) {}
        print("\ncounted: \(report.bins) bins, \(report.entries) entries, \(report.lines) lines")
        print("variances: \(report.variances.count), \(report.accepted) decided by the supervisor")
        for line in report.variances.sorted() { print("  \(line)") }
        print("exported:")
        for line in report.documents.sorted() { print("  \(line)") }
        print("time:")
        for part in report.parts { print("  \(part.name): \(Int(part.seconds * 1000)) ms") }
        guard report.isSound else {
            print("\nDOES NOT ADD UP:")
            for fault in report.faults.prefix(40) { print("  \(fault)") }
            return 1
        }
        print("\neverything adds up")
        return 0
    }
}
