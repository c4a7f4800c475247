import Assembly
import Basics
import CountingApp
import DataStore
import Models
import System
import WarehouseModels

/// The demo's site with a released count, the newcomer's devices and two colleagues at work.
package struct DemoFloor: Sendable {
    /// The site.
    package let site: DemoSite
    /// Ann's store.
    package let ann: DeviceStore
    /// The supervisor's store.
    package let sue: DeviceStore
    private let colleagues: [FloorTerminal<CounterApp>]
    private let work: [Task<Void, any Error>]

    /// The files that hold the keys for a second counter's terminal and a supervisor's.
    package var keyFiles: (counter: String, supervisor: String) {
        (site.directory + "/counter.key", site.directory + "/supervisor.key")
    }

    /// Starts everything; what is there from an earlier run goes on.
    package static func start(directory: String, log: Log) async throws -> DemoFloor {
        let site = try await DemoSite.start(directory: directory, log: log)
        try Files.writeAtomically(site.keys.counter + "\n", to: directory + "/counter.key", mode: 0o600)
        try Files.writeAtomically(site.keys.supervisor + "\n", to: directory + "/supervisor.key", mode: 0o600)
        try await release(site)
        let sample = site.warehouseSample

        // Ann is signed in by keys like anyone; the app on the screen then finds her where she was.
        let terminal = try await FloorTerminal.counter(directory: directory + "/ann", hub: site.link(), code: "T01")
        try await terminal.wait { try $0.count(Barcode.self) == sample.barcodes.count && $0.count(BinTask.self) > 0 }
        if await terminal.shell.inspect({ $0.personID }) == nil { try await terminal.signIn("ann") }
        try await begin(terminal, sample)
        await terminal.close()

        var colleagues: [FloorTerminal<CounterApp>] = []
        var work: [Task<Void, any Error>] = []
        for (index, login) in ["bob", "cara"].enumerated() {
            let colleague = try await FloorTerminal.counter(
                directory: "\(directory)/\(login)", hub: site.link(), code: "T0\(index + 2)")
            colleagues.append(colleague)
            work.append(Task { try await beside(login, colleague, sample, zones: index == 0 ? ["A"] : ["C", "D"]) })
        }
        return DemoFloor(
            site: site,
            ann: try await DeviceStore.open(
                directory: directory + "/ann", kind: .terminal, hub: site.link(), code: "T01", log: log),
            sue: try await DeviceStore.open(
                directory: directory + "/sue", kind: .supervisor, hub: site.link(supervisor: true), code: "S01",
                log: log), colleagues: colleagues, work: work)
    }

    /// Ann's walk begins where her shelf is; later it goes on where she was.
    private static func begin(_ ann: FloorTerminal<CounterApp>, _ sample: SampleWarehouse) async throws {
        let place = "walk." + SampleWarehouse.id("Person", ["ann"])
        let zone = sample.zones.first { $0.code == "B" }?.id
        guard let first = sample.bins.filter({ $0.zoneID == zone }).map(\.walkSequence).min() else { return }
        try await ann.device.store.transaction { tx in
            if try tx.setting(place) == nil { try tx.setSetting(place, String(first - 1)) }
        }
    }

    /// Ends the colleagues, the stores and the site.
    package func stop() async {
        for task in work { task.cancel() }
        for task in work { _ = await task.result }
        for colleague in colleagues { await colleague.close() }
        await ann.close()
        await sue.close()
        await site.stop()
    }

    /// The shelf in front of Ann, looked at again whenever something changed.
    package func shelves() -> AsyncStream<DemoShelf> {
        let (ann, sample) = (ann, site.warehouseSample)
        let zones = sample.zones.filter { $0.code == "B" }.map(\.id)
        let person = SampleWarehouse.id("Person", ["ann"])
        let changes = ann.store.changedModels()
        return AsyncStream { continuation in
            let task = Task {
                func look() async {
                    let shelf = try? await ann.store.read { tx in
                        try DemoShelf(in: tx, sample: sample, device: ann.deviceCode, person: person, zones: zones)
                    }
                    if let shelf { continuation.yield(shelf) }
                }
                await look()
                for await _ in changes { await look() }
                continuation.finish()
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    /// Releases a count unless one is open.
    private static func release(_ site: DemoSite) async throws {
        let sue = try await FloorTerminal.supervisor(
            directory: site.directory + "/sue", hub: site.link(supervisor: true), code: "S01", login: "sue")
        try await sue.device.waitUntilSynced()
        let isOpen = CountSession.state.isIn([.released, .counting, .stopped, .approved, .exported])
        if try await sue.device.store.count(CountSession.self, where: isOpen) == 0 {
            _ = try await sue.release(semiBlind: true, floor: true)
            try await sue.device.waitUntilSent()
        }
        await sue.close()
    }

    /// A colleague at a person's pace: zones of their own first, then what is to be counted again.
    private static func beside(
        _ login: String, _ terminal: FloorTerminal<CounterApp>, _ sample: SampleWarehouse, zones: [String]
    ) async throws {
        try await terminal.wait { try $0.count(BinTask.self) >= sample.bins.count }
        if await terminal.shell.inspect({ $0.personID }) == nil { try await terminal.signIn(login) }
        let ids = ["bob", "cara"].map { SampleWarehouse.id("Person", [$0]) }
        var counter = ComputedCounter(login: login, terminal: terminal, sample: sample, slips: [], team: ids)
        counter.pause = { try await Task.sleep(for: .milliseconds(1500 + Int(SystemRandom().next() % 3000))) }
        let wanted = Set(sample.zones.filter { zones.contains($0.code) }.map(\.id))
        let todo = try await terminal.device.store.query(
            BinTask.self, where: BinTask.state == .todo && BinTask.zoneID.isIn(Array(wanted)),
            sort: [.ascending(BinTask.walkSequence)])
        let left = Set(todo.filter { $0.notForIDs.isEmpty }.map(\.binID))
        let bins = sample.bins.filter { left.contains($0.id) }
        if !bins.isEmpty { try await counter.walk(bins, offline: nil) }
        if let session = todo.first?.sessionID { try await counter.recountUntilStopped(session) }
    }
}
