import CSystem
import Glibc

/// A signal that a program of ours listens to.
public enum Signal: Sendable, Hashable, CaseIterable {
    /// SIGTERM: stop cleanly.
    case terminate
    /// SIGHUP: the terminal is gone.
    case hangUp
    /// SIGINT: Ctrl-C where the terminal sends it.
    case interrupt
    /// SIGWINCH: the terminal has another size.
    case windowChange
    /// SIGTSTP: Ctrl-Z, the program is to rest until it is called back.
    case suspend
    /// SIGKILL: end at once; can be sent, never read.
    case kill

    /// The system's number of the signal.
    public var number: Int32 {
        switch self {
        case .terminate: SIGTERM
        case .hangUp: SIGHUP
        case .interrupt: SIGINT
        case .windowChange: SIGWINCH
        case .suspend: SIGTSTP
        case .kill: SIGKILL
        }
    }

    init?(number: Int32) {
        guard let signal = Signal.allCases.first(where: { $0.number == number }) else { return nil }
        self = signal
    }
}

/// Signals read from a descriptor instead of being delivered to whichever thread happens to run.
///
/// Call `SignalReader.block` first thing in `main`, before the first task: threads inherit the mask, and one thread
/// without it would take the signal and end the program.
public final class SignalReader: Sendable {
    /// Becomes readable when a signal waits; poll it in a loop and then call `next()`.
    public let fileDescriptor: Int32

    /// Keeps the signals from ending the program, and ignores SIGPIPE: a peer that closes its end is an error of one
    /// write, not of the program.
    public static func block(_ signals: [Signal] = [.terminate, .hangUp, .interrupt, .windowChange]) {
        var set = signalSet(signals)
        pthread_sigmask(SIG_BLOCK, &set, nil)
        Glibc.signal(SIGPIPE, SIG_IGN)
    }

    /// Lets the signals end the program again, for work that may be cut off at any point. Call it on the initial thread.
    public static func unblock(_ signals: [Signal] = [.terminate, .hangUp, .interrupt, .windowChange]) {
        var set = signalSet(signals)
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    /// Reads these signals, which must be blocked.
    public init(_ signals: [Signal] = [.terminate, .hangUp, .interrupt, .windowChange]) throws(SystemError) {
        var set = signalSet(signals)
        fileDescriptor = try systemCall("make a signalfd") { csystem_signalfd(&set) }
    }

    deinit {
        close(fileDescriptor)
    }

    /// The next signal that waits, or nil; never blocks.
    public func next() -> Signal? {
        Signal(number: csystem_signalfd_next(fileDescriptor))
    }

    /// Waits for the next signal on a thread of its own, so that no thread of Swift's pool is held.
    public func wait() async -> Signal {
        await withCheckedContinuation { continuation in
            startThread(named: "signals") {
                while true {
                    if let signal = self.next() {
                        continuation.resume(returning: signal)
                        return
                    }
                    var descriptor = pollfd(fd: self.fileDescriptor, events: Int16(POLLIN), revents: 0)
                    poll(&descriptor, 1, -1)
                }
            }
        }
    }
}

private func signalSet(_ signals: [Signal]) -> sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in signals { sigaddset(&set, signal.number) }
    return set
}
