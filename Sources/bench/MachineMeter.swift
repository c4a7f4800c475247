import Basics
import Glibc
import System

/// What the machine itself does beside a measurement: how late a thread wakes that sleeps for a millisecond, how long a
/// small write takes to be on the disk, and what share of the processors the host gives to other machines.
///
/// A program's own worst times cannot be better than these.
final class MachineMeter: Sendable {
    private let lateness = Locked(Histogram())
    private let syncs = Locked(Histogram())
    private let ended = Locked(false)
    private let begin = HostShare.read()

    /// Begins to measure on two threads of its own; the writes go to a file in `directory`.
    init(directory: String) throws {
        let file = open(directory + "/meter", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw BenchFailure("no file can be made in \(directory)") }
        startThread(named: "lateness") { [self] in
            while !ended.current {
                let start = ContinuousClock.now
                rest(milliseconds: 1)
                let late = (ContinuousClock.now - start).inSeconds - 0.001
                lateness.withLock { $0.add(late) }
            }
        }
        startThread(named: "syncs") { [self] in
            let page = [UInt8](repeating: 1, count: 4096)
            while !ended.current {
                let start = ContinuousClock.now
                _ = pwrite(file, page, page.count, 0)
                fdatasync(file)
                let took = (ContinuousClock.now - start).inSeconds
                syncs.withLock { $0.add(took) }
                rest(milliseconds: 50)
            }
            close(file)
        }
    }

    /// Ends its threads.
    func stop() { ended.withLock { $0 = true } }

    /// What was seen so far.
    var seen: String {
        "the machine: a thread that sleeps wakes late by \(lateness.current.worst), a page is on the disk after "
            + "\(syncs.current.worst), the host took \(HostShare.read().taken(since: begin))"
    }
}

/// How the processors' time went so far, by `/proc/stat` (proc(5)): all of it, and what the host gave to others ("steal").
struct HostShare: Sendable {
    private let all: Double
    private let stolen: Double

    static func read() -> HostShare {
        let text = (try? Files.readText("/proc/stat")) ?? ""
        let numbers = text.prefix { $0 != "\n" }.split(separator: " ").dropFirst().compactMap { Double($0) }
        // user nice system idle iowait irq softirq steal; what guests have is in user already.
        return HostShare(all: numbers.prefix(8).reduce(0, +), stolen: numbers.count > 7 ? numbers[7] : 0)
    }

    /// `12.0 % of the processors` since an earlier reading.
    func taken(since begin: HostShare) -> String {
        let all = all - begin.all
        return "\(short(all > 0 ? (stolen - begin.stolen) / all * 100 : 0)) % of the processors"
    }
}
