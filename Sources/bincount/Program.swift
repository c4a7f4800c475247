import Basics
import DataStore
import Dispatch
import Glibc
import System
import Terminal

/// A command that could not do its work; the program prints the one line and exits with 1.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Finds the command, runs it on the initial thread, and turns what it throws into a line and an exit code.
enum Program {
    static let version = "0.1"

    /// A command: its name, a line for the overview, its whole help, and what it does.
    struct Command: Sendable {
        let name: String
        let summary: String
        let help: String
        /// Whether it reads signals and ends by itself; any other is ended by them at once, which loses nothing, since
        /// what is stored is stored by transactions.
        var readsSignals = false
        /// What its first word may ask for instead.
        var subcommands: [Command] = []
        let run: @Sendable (inout CommandLineArguments) throws -> Int32
    }

    static let commands: [Command] = [
        CountCommand.command, SuperviseCommand.command, EnrolCommand.command, HubCommand.command, DeskCommand.command,
        ImportCommand.command,
        OutboxCommand.command, StatusCommand.command, VerifyCommand.command, SchemaCommand.command,
        ScreensCommand.command, LoginCommand.command, DemoCommand.command,
    ]

    static func run(_ words: [String]) -> Int32 {
        guard let name = words.first, !["help", "--help", "-h"].contains(name) else {
            return help(Array(words.dropFirst()), isAsked: !words.isEmpty)
        }
        if name == "--version" {
            print("bincount \(version)")
            return 0
        }
        guard let command = commands.first(where: { $0.name == name }) else {
            return fail("there is no command \(name); `bincount help` lists them", code: 2)
        }
        let rest = Array(words.dropFirst())
        guard !command.subcommands.isEmpty, let word = rest.first, !word.hasPrefix("-") else {
            return run(command, name, rest)
        }
        guard let inner = command.subcommands.first(where: { $0.name == word }) else {
            return fail("there is no command \(name) \(word); `bincount help \(name)` lists them", code: 2)
        }
        return run(inner, "\(name) \(word)", Array(rest.dropFirst()))
    }

    /// Prints the overview, or how the command is used that the words name.
    private static func help(_ words: [String], isAsked: Bool) -> Int32 {
        guard let name = words.first else {
            print(overview)
            return isAsked ? 0 : 2
        }
        guard let command = commands.first(where: { $0.name == name }) else {
            return fail("there is no command \(name); `bincount help` lists them", code: 2)
        }
        guard words.count > 1, !command.subcommands.isEmpty else {
            print(command.help)
            return 0
        }
        guard let inner = command.subcommands.first(where: { $0.name == words[1] }) else {
            return fail("there is no command \(name) \(words[1]); `bincount help \(name)` lists them", code: 2)
        }
        print(inner.help)
        return 0
    }

    /// Runs one command; `name` is what it was called by.
    private static func run(_ command: Command, _ name: String, _ words: [String]) -> Int32 {
        var arguments = CommandLineArguments(words)
        if arguments.flag("--help", "-h") {
            print(command.help)
            return 0
        }
        if !command.readsSignals { SignalReader.unblock() }
        do {
            return try command.run(&arguments)
        } catch let error as UsageError {
            return fail("\(error); `bincount help \(name)` says more", in: name, code: 2)
        } catch let error as FileLock.Held {
            return fail("\(error); close that one first, or use another --data directory", in: name, code: 2)
        } catch {
            return fail("\(error)", in: name, code: 1)
        }
    }

    private static func fail(_ message: String, in command: String = "", code: Int32) -> Int32 {
        printError("bincount\(command.isEmpty ? "" : " " + command): \(message)")
        return code
    }

    private static var overview: String {
        let width = commands.map(\.name.count).max() ?? 0
        let lines = commands.map { command in
            "  " + command.name + String(repeating: " ", count: width - command.name.count + 2) + command.summary
        }
        return "bincount \(version): counts warehouse bins, offline and together\n\n" + lines.joined(separator: "\n")
            + "\n\n`bincount help COMMAND` says how each is used. A first look: bincount demo"
    }
}

/// Writes one line to standard error, control characters replaced.
func printError(_ line: String) {
    let bytes = Array((printable(line) + "\n").utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
}

/// Runs asynchronous work from the initial thread, which stays out of Swift's pool, and waits for it.
func waitFor<Result: Sendable>(_ work: @escaping @Sendable () async throws -> Result) throws -> Result {
    let done = DispatchSemaphore(value: 0)
    let outcome = Locked<Swift.Result<Result, any Error>?>(nil)
    Task.detached {
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await work()) } catch { result = .failure(error) }
        outcome.withLock { $0 = result }
        done.signal()
    }
    done.wait()
    guard let result = outcome.current else { throw CommandFailure("the work ended without a result") }
    return try result.get()
}

/// The same when the screen's loop has ended: what is stopped then still has jobs on the screen's thread, which is this
/// one, and would never end if nobody ran them.
func waitForScreen(_ work: @escaping @Sendable () async -> Void) {
    let isDone = Locked(false)
    Task.detached {
        await work()
        isDone.withLock { $0 = true }
        UI.executor.wake()
    }
    UI.executor.run { isDone.current }
}

/// Waits on the initial thread until somebody asks for the end.
func waitForEnd(_ signals: SignalReader) {
    while true {
        while let signal = signals.next() { if signal != .windowChange { return } }
        var descriptor = pollfd(fd: signals.fileDescriptor, events: Int16(POLLIN), revents: 0)
        poll(&descriptor, 1, -1)
    }
}

/// Hands what was printed to whoever reads it now: a pipe would keep it until the end.
func flushOutput() { fflush(nil) }
