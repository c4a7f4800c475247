import Assembly
import Basics
import Testing

@testable import SyncEngine

/// What begins later where it cannot begin now.
@Suite(.timeLimit(.minutes(1)))
struct LateStartTests {
    private struct Away: Error, CustomStringConvertible {
        let description: String
    }

    private let attempts = Locked(0)
    private let said = Locked<[String]>([])

    private func late(
        pause: @escaping @Sendable () async throws -> Void = {}, _ begun: @escaping @Sendable () -> Void = {},
        attempt: @escaping @Sendable (Int) throws -> String?
    ) -> LateStart<String> {
        LateStart(
            attempt: { [attempts] in
                try attempt(
                    attempts.withLock { count in
                        count += 1
                        return count
                    })
            }, pause: pause, failed: { [said] error in said.withLock { $0.append("\(error)") } }, late: begun)
    }

    @Test func `it is tried until it begins, and each reason is said once`() async throws {
        let (begun, continuation) = AsyncStream<Void>.makeStream()
        let start = late {
            continuation.yield()
        } attempt: { count in
            if count < 3 { throw Away(description: "full") }
            if count < 5 { throw Away(description: "busy") }
            return "desk"
        }
        #expect(await !start.start())
        for await _ in begun { break }
        #expect(await start.hasBegun)
        #expect(said.current == ["full", "busy"])
        #expect(await start.stop() == "desk")
        #expect(attempts.current == 5)
    }

    @Test func `what has begun, or never will, is not tried again`() async throws {
        #expect(await late { _ in "desk" }.start())
        let hopeless = late { _ in nil }
        #expect(await !hopeless.start())
        #expect(await hopeless.stop() == nil)
        #expect(attempts.current == 2 && said.current.isEmpty)
    }

    @Test func `stopping ends the attempts`() async throws {
        // Nothing comes on it: the iteration ends with the task alone.
        let (never, continuation) = AsyncStream<Void>.makeStream()
        defer { continuation.finish() }
        let start = late(pause: {
            for await _ in never {}
            try Task.checkCancellation()
        }) { _ in throw Away(description: "full") }
        #expect(await !start.start())
        #expect(await start.stop() == nil)
        #expect(attempts.current == 1)
    }

    @Test func `a desk has what it needs once a round of fetching left nothing out`() {
        var status = SyncStatus()
        #expect(!DeskProcess.hasFetched(status))
        status.isComplete = true
        #expect(DeskProcess.hasFetched(status))
        status.unfetchedModels = ["ExportLine"]
        #expect(!DeskProcess.hasFetched(status))
        // What the round before could not fetch is asked for again, and not there yet.
        status.unfetchedModels = []
        status.progress = SyncStatus.Progress()
        #expect(!DeskProcess.hasFetched(status))
    }
}
