import Basics
import Glibc
import System

/// A program on a pseudo-terminal, as a person starts it: what it shows is read all the time, and keys go in.
///
/// A thread reads until the program has closed its terminal. One that lives for too long is ended, so that a question
/// that never comes fails its test instead of holding it.
final class PseudoTerminal: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private struct State: Sendable {
        var shown: [UInt8] = []
        /// What was expected and found lies before it.
        var position = 0
        var exit: System.ExitStatus?
        var readers: [(text: [UInt8], continuation: CheckedContinuation<Bool, Never>)] = []
        var waiters: [CheckedContinuation<System.ExitStatus, Never>] = []

        mutating func take(_ text: [UInt8]) -> Bool {
            guard shown.count - position >= text.count else { return false }
            for start in position...(shown.count - text.count)
            where shown[start..<start + text.count].elementsEqual(text) {
                position = start + text.count
                return true
            }
            return false
        }
    }

    let pid: Int32
    private let master: Int32
    private let state = Locked(State())
    private static let lifeMilliseconds: Int32 = 200_000

    init(_ command: [String], rows: UInt16 = 24, columns: UInt16 = 80) throws {
        let master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard master >= 0 else { throw SystemError(call: "open", subject: "/dev/ptmx") }
        var (unlocked, number) = (Int32(0), Int32(0))
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        guard ioctl(master, 0x4004_5431, &unlocked) == 0, ioctl(master, 0x8004_5430, &number) == 0,
            ioctl(master, UInt(TIOCSWINSZ), &size) == 0
        else { throw SystemError(call: "set up the pseudo-terminal") }
        self.master = master

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // The first terminal that the leader of a new session opens is the session's own.
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/pts/\(number)", O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, 0, 1)
        posix_spawn_file_actions_adddup2(&actions, 0, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let newSession: Int32 = 0x80
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | newSession))

        let words = command.map { strdup($0) } + [nil]
        let variables =
            (ProcessEnvironment.all.filter { !$0.hasPrefix("TERM=") } + ["TERM=xterm"]).map { strdup($0) } + [nil]
        defer { for word in words + variables { free(word) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, command[0], &actions, &attributes, words, variables)
        guard code == 0 else {
            close(master)
            throw SystemError(call: "start", subject: command[0], code: code)
        }
        self.pid = pid
        startThread(named: "terminal \(pid)") { self.read() }
    }

    deinit { close(master) }

    /// Waits until the text is shown, after what was waited for before.
    func expect(_ text: String) async throws {
        let found = await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
            let answer = state.withLock { state -> Bool? in
                if state.take(Array(text.utf8)) { return true }
                if state.exit != nil { return false }
                state.readers.append((Array(text.utf8), continuation))
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
        guard found else { throw Failure(description: "“\(text)” was never shown; what was: \(shown)") }
    }

    /// Types keys.
    func type(_ keys: String) {
        let bytes = Array(keys.utf8)
        _ = write(master, bytes, bytes.count)
    }

    /// Whether what is typed is shown.
    var echoes: Bool {
        var settings = termios()
        return tcgetattr(master, &settings) == 0 && settings.c_lflag & tcflag_t(ECHO) != 0
    }

    /// Everything that was shown.
    var shown: String { state.withLock { String(decoding: $0.shown, as: UTF8.self) } }

    /// Asks the program to end, or ends it.
    func send(_ signal: Signal) {
        // Under the lock nobody collects it, so that its id is not another's.
        state.withLock { if $0.exit == nil { kill(pid, signal.number) } }
    }

    /// Waits for its end.
    func wait() async -> System.ExitStatus {
        await withCheckedContinuation { continuation in
            let exit = state.withLock { state in
                if state.exit == nil { state.waiters.append(continuation) }
                return state.exit
            }
            if let exit { continuation.resume(returning: exit) }
        }
    }

    private func read() {
        var chunk = [UInt8](repeating: 0, count: 8192)
        var descriptor = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
        let end = SystemTimeSource().uptime() + Int64(Self.lifeMilliseconds)
        while true {
            let left = end - SystemTimeSource().uptime()
            if left <= 0 || poll(&descriptor, 1, Int32(left)) <= 0 {
                kill(pid, SIGKILL)
                break
            }
            // Where the program's side is closed this fails.
            let count = Glibc.read(master, &chunk, chunk.count)
            guard count > 0 else { break }
            let found = state.withLock { state in
                state.shown += chunk[..<count]
                let found = state.readers.filter { state.take($0.text) }
                state.readers.removeAll { reader in found.contains { $0.text == reader.text } }
                return found.map(\.continuation)
            }
            for reader in found { reader.resume(returning: true) }
        }
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        let exit: System.ExitStatus = status & 0x7F == 0 ? .code(status >> 8 & 0xFF) : .signal(status & 0x7F)
        let (readers, waiters) = state.withLock { state in
            defer { (state.readers, state.waiters) = ([], []) }
            state.exit = exit
            return (state.readers.map(\.continuation), state.waiters)
        }
        for reader in readers { reader.resume(returning: false) }
        for waiter in waiters { waiter.resume(returning: exit) }
    }
}
