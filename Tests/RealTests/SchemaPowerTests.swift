import Basics
import System
import Testing
import Transport

/// A hub whose machine dies at a write barrier of a change of its schema: what was never synced is gone.
@Suite(
    .enabled(if: Faults.isPossible && Built.isThere, "needs cc and the built programs"), .serialized,
    .timeLimit(.minutes(30)))
struct SchemaPowerTests {
    private static let field = 1

    /// One hub from its first start to a clean end, or to where it dies.
    private struct Run {
        let site: SchemaSite
        let isDestructive: Bool
        var before: [Int] { isDestructive ? [SchemaPowerTests.field] : [] }
        var after: [Int] { isDestructive ? [] : [SchemaPowerTests.field] }

        init(isDestructive: Bool) throws {
            site = try SchemaSite("schema-power")
            self.isDestructive = isDestructive
        }

        /// What must be there before: for a field that goes, that it came.
        func prepare() async throws {
            guard isDestructive else { return }
            let hub = try await site.start()
            let client = try SiteClient(hub)
            #expect(try await site.push([SchemaPowerTests.field], to: client) == true)
            #expect(try await change("kept", 0, to: client))
            await hub.stop()
        }

        func change(_ id: String, _ base: Int64, to client: SiteClient) async throws -> Bool {
            try await site.send(
                NoteChange(id: id, title: "\(id) \(base)", base: base, mutation: SystemRandom().uuid()), to: client)
        }

        /// The hub's whole life over the failing disk; nil where it died before it listened, else what the push said.
        func live(_ faults: [String: String], pushes: Bool = true) async throws -> Bool? {
            var environment = faults
            environment["LD_PRELOAD"] = try await Faults.shared.value.shim
            environment["FAULT_ROOT"] = site.data
            guard let hub = try? await site.start(environment: environment) else { return nil }
            let client = try SiteClient(hub)
            var outcome: Bool?
            if try await change("first", 0, to: client), try await change("first", 1, to: client) {
                outcome = pushes ? try await site.push(after, to: client) : nil
                _ = try await change("last", 0, to: client)
            }
            hub.child.send(.terminate)
            _ = await hub.child.wait()
            return outcome
        }

        /// How many barriers there are, with a change of the schema or without.
        static func barriers(isDestructive: Bool, pushes: Bool) async throws -> Int {
            let run = try Run(isDestructive: isDestructive)
            try await run.prepare()
            let count = run.site.directory.file("count")
            _ = try await run.live(["FAULT_MODE": "count", "FAULT_COUNT": count], pushes: pushes)
            return try Files.readText(count).split(separator: " ").first.flatMap { Int($0) } ?? 0
        }
    }

    @Test(
        "The power goes at any barrier of a push: the old schema or the new one, and nothing acknowledged is lost",
        arguments: [false, true])
    func anyBarrier(isDestructive: Bool) async throws {
        let without = try await Run.barriers(isDestructive: isDestructive, pushes: false)
        let all = try await Run.barriers(isDestructive: isDestructive, pushes: true)
        #expect(all > without, "a push has barriers of its own: \(without), \(all)")
        // Those of the push lie between the changes before it and the end.
        let moments = max(1, without - 6)...all
        let step = Faults.isLong ? 1 : max(1, moments.count / 4)
        for moment in stride(from: moments.lowerBound, through: moments.upperBound, by: step) {
            try await check(isDestructive, at: moment)
        }
    }

    private func check(_ isDestructive: Bool, at moment: Int) async throws {
        let name = "\(isDestructive ? "destructive" : "additive") at \(moment)"
        let run = try Run(isDestructive: isDestructive)
        try await run.prepare()
        let outcome = try await run.live(["FAULT_MODE": "cut", "FAULT_AT": "\(moment)"])
        let hub = try await run.site.start()
        let client = try SiteClient(hub)
        guard let served = try await run.site.served(client, run.before, run.after, name) else { return }
        if outcome == true { #expect(served == run.after, "\(name): it was told that the schema is served") }
        try await run.site.resend(to: client)
        try await run.site.compare(client, name)
        let field = "extra\(Self.field)"
        if isDestructive, served == run.before {
            let kept = try await client.ask("{ getNote(id: \"kept\") { \(field) } }", key: "all")
            #expect(kept.json?["data"]?["getNote"]?[field] == 1, "\(name): \(kept.json?.text ?? "")")
        }
        if isDestructive, served == run.after {
            let backups = try Files.list(run.site.data).filter { $0.hasPrefix("before-schema-") }
            let backup = try #require(backups.first { $0.hasSuffix(".sqlite") }, "\(name): what went is in no backup")
            try await restore(run, backup, name)
        }
        // The same push, or the next change, goes through now.
        #expect(try await run.site.push(run.after, to: client) == true)
        #expect(try await run.change("after", 0, to: client))
        await hub.stop()
    }

    /// The backup holds what was taken away: put back somewhere, a hub serves it.
    private func restore(_ run: Run, _ backup: String, _ name: String) async throws {
        let other = run.site.directory.file("restored")
        let restored = try await bincount(
            "hub", "restore", "--data", other, "--from", run.site.data + "/" + backup)
        try #require(restored.code == .code(0), "\(name): \(restored.error)")
        let hub = try await run.site.start(data: other)
        let kept = try await SiteClient(hub).ask("{ getNote(id: \"kept\") { extra\(Self.field) } }", key: "all")
        #expect(kept.json?["data"]?["getNote"]?["extra\(Self.field)"] == 1, "\(name): \(kept.json?.text ?? "")")
        await hub.stop()
    }
}
