import Basics
import Models
import System
import Testing

@testable import DataStore

@Suite("An outbox entry's number is never used again")
struct OutboxNumberTests {
    private func open(_ directory: TempDirectory, _ seed: UInt64) throws -> StoreCore {
        try StoreCore(
            schema: testSchema, at: .directory(directory.path),
            options: testOptions { $0.random = SeededRandom(seed: seed) })
    }

    /// Makes one change and gives its number.
    private func number(_ core: StoreCore, _ id: String) throws -> Int64 {
        try core.save(Zone(id: id))
        return try #require(try core.outbox().last?.order)
    }

    @Test("after it was sent, taken back or cleared away, and over a restart")
    func whatever() throws {
        let directory = try TempDirectory()
        var core = try open(directory, 1)
        var last = try number(core, "a")
        func check(_ id: String) throws {
            let next = try number(core, id)
            #expect(next > last, "\(id)")
            last = next
        }
        try core.sendAll()
        try check("sent")
        try core.write(as: nil) { _ = try $0.delete(model: "Zone", id: "sent") }
        try check("taken back")
        try core.write(as: nil) { try $0.revertOutbox(last) }
        try check("reverted")
        try core.clear(discardingUnsent: true)
        try check("cleared")
        try core.sendAll()
        core.close()
        core = try open(directory, 2)
        try check("restarted")
    }

    @Test("a transaction that fails gives back what it took")
    func failing() throws {
        struct Failure: Error {}
        let core = try memoryCore()
        let first = try number(core, "a")
        #expect(throws: Failure.self) {
            try core.write(as: nil) { tx in
                try tx.save(Zone(id: "b"))
                throw Failure()
            }
        }
        #expect(try number(core, "c") == first + 1)
    }

    @Test("what a restored backend lacks gets numbers before all others, of its own each time")
    func recovered() throws {
        let core = try memoryCore()
        var seen: Set<Int64> = []
        for round in 0..<3 {
            core.setLife(epoch: "life \(round)", began: Int64(round) * 1000)
            for number in 0..<2 { try core.save(Zone(id: "z\(round)-\(number)")) }
            try core.sendAll()
            let count = try core.recover(into: "life \(round + 1)", having: [:])
            #expect(count == 2 * (round + 1))
            let orders = try core.outbox().map(\.order)
            #expect(orders.allSatisfy { $0 < 0 } && orders == orders.sorted())
            #expect(seen.isDisjoint(with: orders))
            seen.formUnion(orders)
            core.setLife(epoch: "life \(round + 1)", began: Int64(round + 1) * 1000)
            try core.sendAll(version: Int64(round) + 2)
        }
    }
}
