import Basics
import Models
import Testing

@testable import DataStore

/// What comes back into a store that has forgotten the rows which the changes are of.
@Suite("Taking exported changes in")
struct ImportTests {
    /// A store whose change of a record that the backend knows was exported before all was cleared.
    private func cleared() throws -> (core: StoreCore, lines: [String]) {
        let core = try memoryCore()
        try core.applyRemote([remote(Bin(id: "b", place: 1, note: "theirs"), 4)])
        try core.save(Bin(id: "b", place: 2, note: "theirs"), identity: "ann")
        let lines = try core.read { try $0.exportOutbox() }.lines
        try core.clear(discardingUnsent: true)
        return (core, lines)
    }

    @Test("C8: a change of a record that is not here waits as it did before, on its version and under its name")
    func update() throws {
        let (core, lines) = try cleared()
        #expect(try core.write(as: nil) { try $0.importOutbox(lines) } == 1)
        let entry = try #require(try core.outbox().first)
        #expect(entry.kind == .update && entry.fields == ["place": 2] && entry.base == ["place": 1])
        #expect(entry.baseVersion == 4 && entry.identity == "ann")
        // Twice is once.
        #expect(try core.write(as: nil) { try $0.importOutbox(lines) } == 0)
        #expect(core.outboxStatus.queued == 1)
    }

    @Test("C8: its change shows over the backend's row once that comes, and is sent")
    func shown() throws {
        let (core, lines) = try cleared()
        try core.write(as: nil) { _ = try $0.importOutbox(lines) }
        #expect(try core.bin("b") == nil)
        try core.applyPage(
            model: "Bin", items: [remote(Bin(id: "b", place: 1, note: "theirs"), 4)], mark: SyncMark(model: "Bin"))
        #expect(try core.bin("b") == Bin(id: "b", place: 2, note: "theirs"))
        #expect(try core.sendAll(version: 5) == 1)
        #expect(try core.bin("b")?.place == 2)
        #expect(try core.read { try $0.syncState(model: "Bin", id: "b") } == .synced(version: 5))
    }

    @Test("C8: it may be sent, edited and taken back before the backend's row comes")
    func acts() throws {
        let (core, lines) = try cleared()
        try core.write(as: nil) { _ = try $0.importOutbox(lines) }
        let entry = try #require(try core.outbox().first)
        try core.write(as: nil) { try $0.editOutbox(entry.order, fields: ["place": 3]) }
        #expect(try core.outbox().first?.fields == ["place": 3])
        let order = try #require(try core.outbox().first).order
        _ = try core.write(as: nil) { try $0.revertOutbox(order) }
        #expect(core.outboxStatus.isEmpty)
        #expect(try core.bin("b") == nil)

        try core.write(as: nil) { _ = try $0.importOutbox(lines) }
        let sent = try #require(try core.nextMutations(limit: 1)?.entries.first)
        let answer = remote(Bin(id: "b", place: 2, note: "theirs"), 5)
        try core.settle([MutationResult(order: sent.order, outcome: .applied(answer))])
        #expect(try core.bin("b") == Bin(id: "b", place: 2, note: "theirs"))
        #expect(core.outboxStatus.isEmpty)
    }
}
