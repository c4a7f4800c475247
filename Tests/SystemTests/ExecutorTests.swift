import Glibc
import Synchronization
import System
import Testing

private actor OnThread {
    let executor: ThreadExecutor
    var seen: [Int] = []

    init(_ executor: ThreadExecutor) {
        self.executor = executor
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    func add(_ value: Int) -> Bool {
        seen.append(value)
        return executor.isCurrent
    }
}

@globalActor private actor OnLoop {
    static let shared = OnLoop()
    static let loop = try! LoopExecutor()
    nonisolated var unownedExecutor: UnownedSerialExecutor { Self.loop.asUnownedSerialExecutor() }
}

@Suite(.timeLimit(.minutes(5)))
struct ExecutorTests {
    @Test func `work runs in the order in which it came, on one thread`() async throws {
        let executor = ThreadExecutor(name: "order")
        let seen = Mutex<[Int]>([])
        for index in 0..<1000 { executor.async { seen.withLock { $0.append(executor.isCurrent ? index : -1) } } }
        let last = try await executor.run { executor.isCurrent }
        #expect(last)
        #expect(seen.withLock { $0 } == Array(0..<1000))
        #expect(!executor.isCurrent)
        executor.stop()
    }

    @Test func `an actor on a thread executor is isolated to its thread`() async throws {
        let executor = ThreadExecutor(name: "actor")
        let actor = OnThread(executor)
        #expect(await actor.add(1))
        #expect(await actor.add(2))
        #expect(await actor.seen == [1, 2])
        let seen = try await executor.run { actor.assumeIsolated { $0.seen } }
        #expect(seen == [1, 2])
    }

    @Test func `errors come back to the caller`() async {
        let executor = ThreadExecutor(name: "errors")
        await #expect(throws: CancellationError.self) { try await executor.run { throw CancellationError() } }
        #expect(throws: CancellationError.self) { try executor.runBlocking { throw CancellationError() } }
        #expect(try! executor.runBlocking { 7 } == 7)
    }

    @Test func `stopping runs what is queued, and later work still runs`() async throws {
        let executor = ThreadExecutor(name: "stop")
        let counter = Shared(count: 0)
        for _ in 0..<100 { executor.async { counter.add() } }
        executor.stop()
        #expect(counter.value == 100)
        #expect(try await executor.run { 5 } == 5)
    }

    @Test func `being off the thread is noticed`() async {
        await #expect(processExitsWith: .failure) { ThreadExecutor(name: "off").checkIsolated() }
    }

    @Test func `a loop executor's jobs run where the loop polls`() async throws {
        let stop = Shared(count: 0)
        let thread = ThreadExecutor(name: "loop")
        thread.async {
            OnLoop.loop.bind()
            while stop.value == 0 {
                var descriptor = pollfd(fd: OnLoop.loop.fileDescriptor, events: Int16(POLLIN), revents: 0)
                poll(&descriptor, 1, -1)
                OnLoop.loop.runPendingJobs()
            }
        }
        let first = await onLoop { thread.isCurrent && OnLoop.loop.isCurrent }
        let second = await onLoop { thread.isCurrent }
        #expect(first && second)
        stop.add()
        OnLoop.loop.wake()
        thread.stop()
    }

    @OnLoop private func onLoop(_ body: @Sendable () -> Bool) -> Bool { body() }
}

final class Shared: Sendable {
    private let count: Atomic<Int>

    init(count: Int) {
        self.count = Atomic(count)
    }

    func add() {
        count.add(1, ordering: .sequentiallyConsistent)
    }

    var value: Int { count.load(ordering: .sequentiallyConsistent) }
}
