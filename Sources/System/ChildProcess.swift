import CSystem
import Glibc
import Synchronization

/// How a process ended.
public enum ExitStatus: Equatable, Sendable, CustomStringConvertible {
    /// It ended by itself with this code; 0 means success.
    case code(Int32)
    /// A signal ended it.
    case signal(Int32)

    /// Whether it ended by itself with code 0.
    public var isSuccess: Bool { self == .code(0) }

    /// `exit code 1` or `signal 9`.
    public var description: String {
        switch self {
        case .code(let code): "exit code \(code)"
        case .signal(let number): "signal \(number)"
        }
    }
}

/// A program started without a shell, watched by a thread of its own.
///
/// Its standard output is read all the time, so it never stops on a full pipe. The program is not ended when the last
/// reference goes; `run` ends it on time-out or cancellation.
public final class ChildProcess: Sendable {
    /// Where a program's standard error goes.
    public enum ErrorOutput: Sendable {
        /// Kept for `ChildResult.standardError`.
        case capture
        /// To this program's own standard error.
        case inherit
        /// Nowhere.
        case discard
    }

    /// The process id.
    public let pid: Int32
    /// Whom signals go to: the program, or its whole group as `kill` names it.
    let target: Int32
    let state: Mutex<ChildState>

    /// Starts a program: its path (or a name looked up in `PATH`) and its arguments.
    ///
    /// - Parameters:
    ///   - environment: the whole environment, nil for this program's own.
    ///   - directory: where it starts, nil for here.
    ///   - input: what it reads from standard input, which then ends.
    ///   - errorOutput: where its standard error goes.
    ///   - outputLimit: how much of each output is kept; what comes beyond is read and dropped.
    ///   - ownsGroup: whether signals reach what the program starts too, and a terminal's do not reach it; what it started
    ///     is killed where the program itself was ended or died of a signal.
    public init(
        _ command: [String], environment: [String: String]? = nil, directory: String? = nil, input: [UInt8] = [],
        errorOutput: ErrorOutput = .capture, outputLimit: Int = 64 << 20, ownsGroup: Bool = false
    ) throws(SystemError) {
        let started = try ChildSpawn.start(
            command, environment: environment, directory: directory, hasInput: !input.isEmpty, errorOutput: errorOutput,
            ownsGroup: ownsGroup)
        pid = started.pid
        target = ownsGroup ? -started.pid : started.pid
        state = Mutex(ChildState(outputLimit: outputLimit))
        let pump = ChildPump(started: started, input: input)
        startThread(named: "child \(started.pid)") { pump.run(self) }
    }

    /// Sends a signal; nothing happens once the program has ended.
    public func send(_ signal: Signal) {
        // The lock keeps the pump from reaping, so the id cannot belong to another program meanwhile.
        state.withLock { state in
            if state.exit == nil { kill(target, signal.number) }
        }
    }

    /// Waits for the program's end.
    public func wait() async -> ExitStatus {
        await withCheckedContinuation { continuation in
            let exit = state.withLock { state in
                if state.exit == nil { state.exitWaiters.append(continuation) }
                return state.exit
            }
            if let exit { continuation.resume(returning: exit) }
        }
    }

    /// Waits for the next line of standard output, nil when there is no more.
    public func readLine() async -> String? {
        await withCheckedContinuation { continuation in
            let answer = state.withLock { state -> String?? in
                let answer = state.lineWaiters.isEmpty ? state.takeLine() : nil
                if answer == nil { state.lineWaiters.append(continuation) }
                return answer
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    /// Everything standard error has given so far, as text.
    public var standardErrorText: String {
        state.withLock { String(decoding: $0.errorOutput, as: UTF8.self) }
    }
}

/// What a program that ran to its end left behind.
public struct ChildResult: Sendable {
    /// How it ended.
    public let status: ExitStatus
    /// What it wrote to standard output.
    public let standardOutput: [UInt8]
    /// What it wrote to standard error.
    public let standardError: [UInt8]
    /// Whether it was ended because its time was over or the caller was cancelled.
    public let timedOut: Bool
}

extension ChildProcess {
    /// Runs a program to its end, away from Swift's pool. After `timeoutMilliseconds` it gets SIGTERM, and
    /// `graceMilliseconds` later SIGKILL; so it does when the calling task is cancelled. What the program started gets the
    /// same, and does not outlive a program that was ended or died of a signal.
    public static func run(
        _ command: [String], environment: [String: String]? = nil, directory: String? = nil, input: [UInt8] = [],
        timeoutMilliseconds: Int64 = 60_000, graceMilliseconds: Int64 = 2_000, outputLimit: Int = 64 << 20
    ) async throws(SystemError) -> ChildResult {
        let child = try ChildProcess(
            command, environment: environment, directory: directory, input: input, outputLimit: outputLimit,
            ownsGroup: true)
        child.end(afterMilliseconds: timeoutMilliseconds, graceMilliseconds: graceMilliseconds)
        let status = await withTaskCancellationHandler {
            await child.wait()
        } onCancel: {
            child.end(graceMilliseconds: graceMilliseconds)
        }
        return child.result(status)
    }

    /// Calls `body` on the child's own thread once the program has ended; at once if it has.
    ///
    /// For callers that have no task to wait in. `body` must not block for long.
    public func whenEnded(_ body: @escaping @Sendable (ChildResult) -> Void) {
        let ended = state.withLock { state -> ExitStatus? in
            guard state.exit == nil else { return state.exit }
            state.onEnd = { [self] in
                guard let exit = self.state.withLock({ $0.exit }) else { return }
                body(result(exit))
            }
            return nil
        }
        if let ended { body(result(ended)) }
    }

    private func result(_ status: ExitStatus) -> ChildResult {
        state.withLock { state in
            ChildResult(
                status: status, standardOutput: Array(state.output[state.outputStart...]),
                standardError: state.errorOutput, timedOut: state.timedOut)
        }
    }

    /// Sends SIGTERM after a time, and SIGKILL if the program has not ended some time later.
    public func end(afterMilliseconds delay: Int64 = 0, graceMilliseconds: Int64 = 2_000) {
        let now = monotonicMilliseconds()
        state.withLock { state in
            state.deadline = now + delay
            state.grace = graceMilliseconds
            if let wake = state.wakeDescriptor { wakeUp(wake) }
        }
    }
}

/// What the pump thread and the callers share.
struct ChildState: Sendable {
    let outputLimit: Int
    var output: [UInt8] = []
    /// Lines before this offset were handed out.
    var outputStart = 0
    var errorOutput: [UInt8] = []
    var outputEnded = false
    var exit: ExitStatus?
    var exitWaiters: [CheckedContinuation<ExitStatus, Never>] = []
    var onEnd: (@Sendable () -> Void)?
    var lineWaiters: [CheckedContinuation<String?, Never>] = []
    var deadline: Int64?
    var grace: Int64 = 0
    var timedOut = false
    var wakeDescriptor: Int32?

    init(outputLimit: Int) {
        self.outputLimit = outputLimit
    }

    /// A line, `.some(nil)` at the end, nil when it is not here yet.
    mutating func takeLine() -> String?? {
        if let end = output[outputStart...].firstIndex(of: 10) {
            let line = String(decoding: output[outputStart..<end], as: UTF8.self)
            outputStart = end + 1
            return .some(line)
        }
        guard outputEnded else { return nil }
        guard outputStart < output.count else { return .some(nil) }
        let line = String(decoding: output[outputStart...], as: UTF8.self)
        outputStart = output.count
        return .some(line)
    }
}

func monotonicMilliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}

func wakeUp(_ descriptor: Int32) {
    var one: UInt64 = 1
    _ = write(descriptor, &one, 8)
}
