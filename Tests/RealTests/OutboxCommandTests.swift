import Basics
import DataStore
import Models
import System
import Testing
import WarehouseModels

/// `bincount outbox` on a terminal's store, as a person types it.
@Suite(.enabled(if: Built.isThere, "build the programs first: swift build"), .serialized, .timeLimit(.minutes(5)))
struct OutboxCommandTests {
    private let directory: TempDirectory
    private var data: String { directory.file("terminal") }

    init() throws { directory = try TempDirectory("outbox") }

    /// Opens the store beside the command, which may have marked it as of the warehouse's last migration, whichever that is.
    private func open(_ path: String) throws -> StoreCore {
        func open(_ migrations: [SchemaVersion]) throws -> StoreCore {
            try StoreCore(
                schema: warehouse, at: .directory(path),
                options: StoreOptions(
                    time: SystemTimeSource(), policies: syncPolicies(for: .terminal), checksParents: false,
                    migrations: migrations))
        }
        for number in 0..<20 {
            if let core = try? open(number == 0 ? [] : [SchemaVersion(number, [])]) { return core }
        }
        return try open([])
    }

    private func device(_ code: String) -> Device {
        Device(
            id: code, code: code, kind: .terminal, lastSequence: 0, unsent: 0, parked: 0,
            beatAt: DateTime(milliseconds: 1_800_000_000_000), version: "1")
    }

    /// Two devices that go as one and were refused, between two others that wait; gives the numbers in their order.
    private func fill(isRefused: Bool = true) throws -> [Int64] {
        let core = try open(data)
        try core.write(as: "ann") { try $0.save(device("before")) }
        try core.write(as: "ann") { tx in
            try tx.sentAsOne {
                try tx.save(device("one"))
                try tx.save(device("two"))
            }
        }
        try core.write(as: "ann") { try $0.save(device("after")) }
        if isRefused, let batch = try core.nextMutations(limit: 10) {
            try core.settle(
                batch.entries.map { entry in
                    MutationResult(
                        order: entry.order,
                        outcome: entry.id == "one"
                            ? .refused(code: "Unauthorized", message: "not yours")
                            : .transient(reason: "cancelled", delay: 0))
                })
        }
        let numbers = try core.read { try $0.outbox() }.map(\.order)
        core.close()
        return numbers
    }

    private func outbox(_ words: String..., at path: String? = nil) async throws -> Outcome {
        let result = try await ChildProcess.run(
            [Built.program, "outbox"] + words + ["--data", path ?? data], timeoutMilliseconds: 60_000)
        return Outcome(
            code: result.status, out: String(decoding: result.standardOutput, as: UTF8.self),
            error: String(decoding: result.standardError, as: UTF8.self))
    }

    private struct Line: Equatable {
        let id: String
        let state: String
    }

    private func list(at path: String? = nil, _ options: String...) async throws -> [Line] {
        let result = try await ChildProcess.run(
            [Built.program, "outbox", "list", "--json", "--data", path ?? data] + options)
        try #require(result.status == .code(0), "\(String(decoding: result.standardError, as: UTF8.self))")
        return try String(decoding: result.standardOutput, as: UTF8.self).split(separator: "\n").map { line in
            let json = try JSONValue(parsing: String(line))
            return Line(id: json["id"]?.string ?? "", state: json["state"]?.string ?? "")
        }
    }

    private let all = ["before", "one", "two", "after"].map { id in
        Line(id: id, state: id == "one" || id == "two" ? "parked" : "queued")
    }

    @Test func `a part of what goes as one is taken back only with the whole of it, and the rest stays`() async throws {
        let numbers = try fill()
        #expect(try await list() == all)
        let shown = try await outbox("show", "\(numbers[2])")
        #expect(shown.out.contains("goes as one with \(numbers[1])"))
        let refused = try await outbox("revert", "\(numbers[2])")
        #expect(refused.code == .code(1))
        #expect(refused.error.contains("goes as one with \(numbers[1])") && refused.error.contains("--whole"))
        #expect(refused.error.split(separator: "\n").count == 1)
        #expect(try await list() == all, "nothing of it went")

        let done = try await outbox("revert", "\(numbers[2])", "--whole")
        #expect(done.code == .code(0))
        #expect(done.out == "taken back: \(numbers[1]), \(numbers[2])\n")
        #expect(try await list() == [all[0], all[3]])
        let core = try open(data)
        #expect(try core.read { try $0.query(Device.self) }.map(\.code).sorted() == ["after", "before"])
        core.close()
        // A change that goes for itself needs no word for that.
        #expect(try await outbox("revert", "\(numbers[0])").code == .code(0))
        #expect(try await list() == [all[3]])
        #expect(try await outbox("revert", "\(numbers[0])").code == .code(1), "it is gone")
    }

    @Test func `what goes as one is retried whole by either of its numbers, and all at once`() async throws {
        let numbers = try fill()
        #expect(try await list("--parked").map(\.id) == ["one", "two"])
        #expect(try await outbox("retry", "\(numbers[2])").code == .code(0))
        #expect(try await list().allSatisfy { $0.state == "queued" })
        let core = try open(data)
        let batch = try #require(try core.nextMutations(limit: 10))
        #expect(Set(batch.units.keys) == [numbers[1], numbers[2]], "it goes as one again")
        #expect(Set(batch.units.values).count == 1)
        core.close()
    }

    @Test func `all that was refused is retried by one word`() async throws {
        _ = try fill()
        let done = try await outbox("retry", "all")
        #expect(done.code == .code(0) && done.out.contains("2 entries"))
        #expect(try await list("--parked").isEmpty)
        #expect(try await outbox("list", "--parked").out == "nothing is parked\n")
    }

    @Test func `an edit of one of them sends all of it again with the other value`() async throws {
        let numbers = try fill()
        #expect(try await outbox("edit", "\(numbers[1])", "unsent=7").code == .code(0))
        #expect(try await list().allSatisfy { $0.state == "queued" })
        #expect(try await outbox("show", "\(numbers[1])").out.contains("unsent: base -, sent 7, here 7"))
        let wrong = try await outbox("edit", "\(numbers[1])", "unsent=many")
        #expect(wrong.code == .code(2) && wrong.error.contains("FIELD=JSON"))
        let unknown = try await outbox("edit", "\(numbers[1])", "nothing=1")
        #expect(unknown.code == .code(1) && unknown.error.contains("nothing"))
    }

    @Test func `a copy on another terminal is whole, goes as one, and may be taken in again`() async throws {
        let numbers = try fill()
        let file = directory.file("waiting.jsonl")
        #expect(try await outbox("export", file).code == .code(0))
        #expect(rights(file) == 0o600)
        let other = directory.file("other")
        try open(other).close()
        let taken = try await outbox("import", file, at: other)
        #expect(taken.code == .code(0) && taken.out == "4 of 4 entries were new\n", "\(taken.error)")
        #expect(try await list(at: other).map(\.id) == ["before", "one", "two", "after"])
        #expect(try await outbox("import", file, at: other).out == "0 of 4 entries were new\n")
        let core = try open(other)
        let entries = try core.read { try $0.outbox() }
        #expect(try core.read { try $0.unit(of: entries[1].order) }.map(\.id) == ["one", "two"])
        #expect(entries.map(\.identity) == ["ann", "ann", "ann", "ann"])
        core.close()

        // A file that lost a part of it is refused whole.
        let lines = try Files.readText(file).split(separator: "\n").map(String.init)
        let part = directory.file("part.jsonl")
        try Files.writeAtomically(lines.filter { !$0.contains("\"two\"") }.joined(separator: "\n") + "\n", to: part)
        let third = directory.file("third")
        try open(third).close()
        let refused = try await outbox("import", part, at: third)
        #expect(refused.code == .code(1) && refused.error.contains("go as one with it"), "\(refused.error)")
        #expect(try await list(at: third).isEmpty)
        #expect(numbers.count == 4)
    }

    @Test func `what was only ever added is neither edited nor taken back`() async throws {
        let core = try open(data)
        try core.write(as: "ann") { tx in
            try tx.sentAsOne {
                try tx.save(device("one"))
                try tx.save(try entry("T01", 1))
            }
        }
        let numbers = try core.read { try $0.outbox() }.map(\.order)
        core.close()
        for words in [["revert", "\(numbers[0])", "--whole"], ["revert", "\(numbers[1])", "--whole"]] {
            let refused = try await ChildProcess.run([Built.program, "outbox"] + words + ["--data", data])
            #expect(refused.status == .code(1), "\(words)")
        }
        #expect(try await outbox("edit", "\(numbers[1])", "unit=\"KG\"").code == .code(1))
        #expect(try await list().count == 2)
    }

    @Test func `what a restored hub lost has numbers below zero, and is seen, copied and taken back by them`()
        async throws
    {
        let core = try open(data)
        core.setLife(epoch: "one", began: nil)
        try core.write(as: "ann") { try $0.save(device("lost")) }
        let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
        let answer = RemoteRecord(record: device("lost").record, version: 1, lastChangedAt: 10)
        try core.settle([MutationResult(order: entry.order, outcome: .applied(answer))])
        try core.write(as: "ann") { try $0.save(device("waits")) }
        core.setLife(epoch: "two", began: 1000, having: [:])
        #expect(try core.recover(into: "two", having: [:]) == 1)
        let numbers = try core.read { try $0.outbox() }.map(\.order)
        core.close()
        try #require(numbers.count == 2 && numbers[0] < 0 && numbers[1] > 0)
        #expect(try await list().map(\.id) == ["lost", "waits"])
        let shown = try await outbox("show", "\(numbers[0])")
        #expect(shown.code == .code(0) && shown.out.contains("create Device lost"), "\(shown.error)")
        let file = directory.file("waiting.jsonl")
        #expect(try await outbox("export", file).code == .code(0))
        let lines = try Files.readText(file).split(separator: "\n").map { try JSONValue(parsing: String($0)) }
        #expect(lines.map { $0["id"]?.string } == ["lost", "waits"], "a copy lacks nothing")
        #expect(try await outbox("retry", "\(numbers[0])").code == .code(0))
        #expect(try await outbox("revert", "\(numbers[0])").code == .code(0))
        #expect(try await list().map(\.id) == ["waits"])
    }
}
