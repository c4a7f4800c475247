import Basics
import Counting
import Crypto
import DataStore
import InventoryControl
import SyncEngine
import System
import WarehouseModels

/// Where an import goes.
package enum ImportTarget: Sendable {
    /// A store's directory; changes of what it sends wait in its outbox until the app or the desk sends them.
    case directory(String)
    /// A hub: what it has is fetched first, so that only differences are sent.
    case hub(HubLink)
}

/// Runs a whole import: opens the store, plans, saves, and at a hub waits until everything is there.
package enum ImportProcess {
    /// Imports files by mappings.
    ///
    /// Which models a store sends, and which it must not hold, stands in it since it was made: a terminal sends no
    /// zones, and holds no book. What that means for the files is in the report.
    /// - Parameter progress: called with one line of text as the work goes on.
    /// - Throws: `ImportError` for a file that cannot be used at all, `StoreError`, or a ``ImportProcess/Refused``.
    package static func run(
        files: [ImportFile], mappings: [ImportMapping], into target: ImportTarget, site: String, dryRun: Bool, log: Log,
        progress: @escaping @Sendable (String) -> Void
    ) async throws -> ImportReport {
        switch target {
        case .directory(let directory):
            let device = try await DeviceStore.open(
                directory: directory, kind: .desk, hub: nil, checksParents: false, log: log)
            let report = try await apply(files, mappings, to: device, site, dryRun, progress)
            await device.close()
            return report
        case .hub(let hub):
            let directory = try TempDirectory("bincount-import")
            let device = try await DeviceStore.open(
                directory: directory.path, kind: .desk, hub: hub, checksParents: false, log: log)
            progress("fetching what the hub has …")
            try await device.waitUntilSynced()
            let report = try await apply(files, mappings, to: device, site, dryRun, progress)
            try await device.waitUntilSent { progress("sending: \($0) to go") }
            await device.close()
            return report
        }
    }

    private static func apply(
        _ files: [ImportFile], _ mappings: [ImportMapping], to device: DeviceStore, _ site: String, _ dryRun: Bool,
        _ progress: @escaping @Sendable (String) -> Void
    ) async throws -> ImportReport {
        progress("reading \(files.count) files …")
        // The plan is made inside one read so that it can ask the store what is there already.
        let (plan, policies) = try await device.store.read { tx in
            let plan = try ImportPlan(
                files: files, mappings: mappings, schema: warehouse,
                environment: ImportEnvironment(
                    makeID: { RecordID.natural($0, [site] + $1, sha256: { SHA256.hexDigest($0) }) },
                    sha256: { SHA256.hexDigest($0) },
                    checkDigits: { codes in
                        let digits = CheckDigits.assign(codes.map { (code: $0, existing: nil) }, seed: site)
                        return codes.map { digits[$0] ?? "" }
                    },
                    exists: { model, id in ((try? tx.get(model: model, id: id)) ?? nil) != nil }))
            let policies = try plan.counts.map { model, count in
                (name: model, count: count, policy: try tx.policy(of: model))
            }
            return (plan, policies)
        }
        // What travels everywhere but here is kept from who works here, such as the book from those who count.
        let desk = syncPolicies(for: .desk)
        let kept = policies.filter { $0.policy == .none && desk[$0.name] != nil }
        let allowed = plan.leavingOut(Set(kept.map(\.name)))
        var report = try await allowed.run(on: device.store, dryRun: dryRun) { done, all in
            progress("\(done) of \(all) records")
        }
        report.leftOut = kept.map { ($0.name, $0.count) }
        report.unsent = policies.filter { !$0.policy.sends && $0.policy != .none }.map { ($0.name, $0.count) }
        return report
    }
}

extension DeviceStore {
    /// The hub refused something, or cannot be reached: what to tell the person.
    package struct Refused: Error, CustomStringConvertible {
        package let description: String
    }

    /// Waits until everything the hub has for this device is here.
    ///
    /// - Throws: ``Refused`` where the hub refuses the key or cannot be reached within 20 seconds.
    package func waitUntilSynced(limitMilliseconds: Int64 = 20_000) async throws {
        try await wait(limitMilliseconds, "it does not answer") { $0.isComplete }
    }

    /// Waits until nothing is unsent.
    ///
    /// - Throws: ``Refused`` where entries were refused, or no progress is made for 30 seconds.
    package func waitUntilSent(limitMilliseconds: Int64 = 30_000, progress: (Int) -> Void = { _ in }) async throws {
        var last = -1
        while true {
            let status = try await store.read { try $0.outboxStatus() }
            if status.isEmpty { return }
            if status.parked == status.unsent {
                throw Refused(description: "the hub refused \(status.parked) changes; `bincount outbox list` says why")
            }
            progress(status.unsent)
            if status.unsent == last, case .paused(let reason)? = driver?.status.link {
                throw Refused(description: "the hub does not take changes: \(reason)")
            }
            last = status.unsent
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func wait(
        _ limit: Int64, _ message: String, until condition: @Sendable (SyncStatus) -> Bool
    ) async throws {
        guard let driver else { return }
        let end = time.uptime() + limit
        while !condition(driver.status) {
            if case .paused(let reason) = driver.status.link {
                throw Refused(description: "synchronising is paused: \(reason)")
            }
            guard time.uptime() < end else {
                var reason = message
                if case .down(let text) = driver.status.link { reason = text }
                throw Refused(description: "no hub at \(driver.url): \(reason); check the address and that it runs")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
