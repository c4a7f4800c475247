import Glibc
import Screens
import System

/// What happens to the screen's program.
public enum TerminalEvent: Hashable, Sendable {
    /// A key or a scan.
    case input(Input)
    /// The terminal has another size.
    case resized(GridSize)
    /// Somebody wants the program to end.
    case signal(Signal)
    /// The terminal is gone; nothing can be shown or typed any more.
    case hangUp
}

/// The loop of a program with a screen: waits for keys, signals and the jobs of ``UI``, and paints once after each
/// wake-up. It never waits for anything else.
@UI
public final class TerminalLoop {
    /// Gets every event, in order.
    public var onEvent: (TerminalEvent) -> Void = { _ in }
    /// Asked once after each wake-up for what to show; nil leaves the screen as it is.
    public var onPaint: () -> CellGrid? = { nil }

    private let screen: TerminalScreen
    private var decoder: InputDecoder
    private var player: SoundPlayer
    private var flashEnd: Int64?
    private var exitCode: Int32?
    private var timers: [(at: Int64, body: @UI () -> Void)] = []

    private init(screen: TerminalScreen, options: TerminalOptions) {
        self.screen = screen
        decoder = InputDecoder(settings: options.scanner)
        player = SoundPlayer(settings: options.sounds)
    }

    /// Opens the terminal and runs until ``stop(code:)``; answers its code.
    ///
    /// Call it from the synchronous `main` on the initial thread, after `SignalReader.block()`.
    ///
    /// - Parameters:
    ///   - options: how the terminal is opened
    ///   - start: sets the loop's handlers; runs on ``UI``
    public nonisolated static func run(
        _ options: TerminalOptions = TerminalOptions(), start: @escaping @UI (TerminalLoop) -> Void
    ) throws -> Int32 {
        UI.executor.bind()
        let signals = try SignalReader()
        return try UI.assumeIsolated {
            let screen = try TerminalScreen(options)
            defer { screen.close() }
            let loop = TerminalLoop(screen: screen, options: options)
            start(loop)
            loop.paint()
            return loop.run(input: options.input, signals: signals)
        }
    }

    /// The terminal's size.
    public var size: GridSize { screen.size }

    /// Whether the first character of a scan must not act as a key: set it while a question is shown whose answers act
    /// at once. Each key is then held for some 30 ms.
    public var holdsFirstKey: Bool {
        get { decoder.holdsFirst }
        set { decoder.holdsFirst = newValue }
    }

    /// Ends the loop after this wake-up.
    public func stop(code: Int32 = 0) { exitCode = code }

    /// Makes a sound.
    public func play(_ sound: Sound) { player.play(sound, at: TerminalLoop.now()) }

    /// Ends a sound that repeats: the person has acknowledged it. A scan is no acknowledgement, so this is the app's.
    public func silence() { player.silence() }

    /// Shows the whole screen inverse for 150 ms, where the terminal can.
    public func flash() {
        guard screen.canFlash, flashEnd == nil else { return }
        screen.write("\u{1B}[?5h")
        flashEnd = TerminalLoop.now() + 150
    }

    /// Runs a closure in the loop after a time; it paints afterwards.
    public func after(milliseconds: Int64, _ body: @escaping @UI () -> Void) {
        timers.append((TerminalLoop.now() + milliseconds, body))
    }

    /// Handles an input as if it had been typed or scanned: for demonstrations and tests.
    public func inject(_ input: Input) { onEvent(.input(input)) }

    /// Writes the whole screen again.
    public func redraw() { screen.redraw() }

    /// Milliseconds of a clock that only runs forward.
    public nonisolated static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }

    private func run(input: Int32, signals: SignalReader) -> Int32 {
        var descriptors = [
            pollfd(fd: input, events: Int16(POLLIN), revents: 0),
            pollfd(fd: signals.fileDescriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: UI.executor.fileDescriptor, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            if let exitCode { return exitCode }
            let ready = poll(&descriptors, nfds_t(descriptors.count), timeout())
            if ready < 0 && errno != EINTR { return 1 }
            while let signal = signals.next() { handle(signal) }
            readKeys()
            // A hung-up terminal stays readable for ever: say so once, and look at it no more.
            if descriptors[0].revents & Int16(POLLHUP | POLLERR | POLLNVAL) != 0 {
                descriptors[0].fd = -1
                onEvent(.hangUp)
            }
            UI.executor.runPendingJobs()
            runTimers()
            paint()
        }
    }

    private func handle(_ signal: Signal) {
        if signal == .windowChange {
            onEvent(.resized(screen.resize()))
        } else {
            onEvent(.signal(signal))
        }
    }

    private func readKeys() {
        var now = TerminalLoop.now()
        if let deadline = decoder.deadline, now >= deadline {
            // What waits already may have come in time: where this thread was late, a scan stays whole.
            guard let key = screen.readKey() else { return give(decoder.tick(at: now)) }
            now = deadline - 1
            give(decoder.feed(key, at: now))
        }
        while let key = screen.readKey() { give(decoder.feed(key, at: now)) }
    }

    private func give(_ inputs: [Input]) {
        for input in inputs { onEvent(.input(input)) }
    }

    private func runTimers() {
        let now = TerminalLoop.now()
        if let flashEnd, now >= flashEnd {
            screen.write("\u{1B}[?5l")
            self.flashEnd = nil
        }
        let due = timers.filter { $0.at <= now }.sorted { $0.at < $1.at }
        timers.removeAll { $0.at <= now }
        for timer in due { timer.body() }
    }

    private func paint() {
        if let grid = onPaint() { screen.draw(grid) }
        let sound = player.due(at: TerminalLoop.now())
        if !sound.isEmpty { screen.write(sound) }
    }

    private func timeout() -> Int32 {
        let deadlines = [decoder.deadline, player.deadline, flashEnd, timers.map(\.at).min()].compactMap { $0 }
        guard let next = deadlines.min() else { return -1 }
        return Int32(clamping: max(0, next - TerminalLoop.now()))
    }
}
