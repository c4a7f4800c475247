import Basics
import System

/// The system's clocks, and what a test has let pass beyond that.
final class PassingTime: TimeSource {
    private let system = SystemTimeSource()
    private let passed = Locked<Int64>(0)

    var bootID: String { system.bootID }
    func now() -> DateTime { system.now().advanced(by: passed.current) }
    func uptime() -> Int64 { system.uptime() + passed.current }
    func pass(milliseconds: Int64) { passed.withLock { $0 += milliseconds } }
}
