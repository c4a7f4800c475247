/// A part of a program that begins later where it cannot begin now: it is tried again and again, until it begins, gives up
/// for good, or is stopped.
package actor LateStart<Part: Sendable> {
    private var part: Part?
    private var isOver = false
    private var retries: Task<Void, Never>?
    private var said: String?
    private let attempt: @Sendable () async throws -> Part?
    private let pause: @Sendable () async throws -> Void
    private let failed: @Sendable (any Error) -> Void
    private let late: @Sendable () -> Void

    /// - Parameters:
    ///   - attempt: begins; throws what may pass, gives nil where no other attempt would help.
    ///   - pause: waits between two attempts; throws where it is cancelled.
    ///   - failed: gets what keeps it from beginning, once for each reason.
    ///   - late: called where another attempt than the first has begun it.
    package init(
        attempt: @escaping @Sendable () async throws -> Part?,
        pause: @escaping @Sendable () async throws -> Void = { try await Task.sleep(for: .seconds(60)) },
        failed: @escaping @Sendable (any Error) -> Void, late: @escaping @Sendable () -> Void
    ) {
        self.attempt = attempt
        self.pause = pause
        self.failed = failed
        self.late = late
    }

    /// Whether it has begun.
    package var hasBegun: Bool { part != nil }

    /// Tries once, and goes on by itself where that may help; to be called once. Gives whether it has begun.
    package func start() async -> Bool {
        await tryOnce()
        if !isOver { retries = Task { await self.goOn() } }
        return part != nil
    }

    /// Ends the attempts; gives what has begun, for the caller to stop.
    package func stop() async -> Part? {
        retries?.cancel()
        await retries?.value
        defer { part = nil }
        return part
    }

    private func goOn() async {
        while !isOver {
            do { try await pause() } catch { return }
            guard !Task.isCancelled else { return }
            await tryOnce()
        }
        if part != nil { late() }
    }

    private func tryOnce() async {
        do {
            part = try await attempt()
            isOver = true
        } catch {
            let reason = "\(error)"
            if reason != said { failed(error) }
            said = reason
        }
    }
}
