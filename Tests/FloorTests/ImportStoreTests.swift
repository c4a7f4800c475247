import Assembly
import Basics
import DataStore
import InventoryControl
import Models
import System
import Testing
import WarehouseModels

/// What becomes of files that are imported into a store, by whose store it is.
@Suite("An import into a store's directory")
struct ImportStoreTests {
    private let directory: TempDirectory

    init() throws { directory = try TempDirectory("import-test") }

    private func run(dryRun: Bool = false) async throws -> ImportReport {
        let folder = Files.parent(of: Files.parent(of: #filePath)) + "/Samples/adventureworks/"
        let names = ["Location", "Product", "ProductInventory"]
        return try await ImportProcess.run(
            files: try names.map { ImportFile(path: "\($0).csv", bytes: try Files.read("\(folder)\($0).csv")) },
            mappings: try names.map {
                try ImportMapping(
                    try Files.readText("\(folder)\($0).mapping"), name: "\($0).mapping", schema: warehouse)
            }, into: .directory(directory.file("store")), site: "main", dryRun: dryRun, log: .none, progress: { _ in })
    }

    private func open(_ kind: DeviceKind) async throws -> DeviceStore {
        try await DeviceStore.open(directory: directory.file("store"), kind: kind, hub: nil, checksParents: false)
    }

    @Test("that is new sends everything through its outbox")
    func new() async throws {
        let report = try await run()
        #expect(report.rejected.isEmpty && report.unsent.isEmpty && report.leftOut.isEmpty)
        let device = try await open(.desk)
        #expect(try await device.store.read { try $0.outboxStatus() }.queued == report.changes)
        #expect(try await device.store.count(BookLine.self) == 1069)
        await device.close()
    }

    @Test(
        "of a terminal says what stays there, and leaves out what its counters must not see", arguments: [true, false])
    func terminal(dryRun: Bool) async throws {
        try await open(.terminal).close()
        let report = try await run(dryRun: dryRun)
        #expect(report.rejected.isEmpty)
        #expect(Set(report.unsent.map(\.name)).isSuperset(of: ["Zone", "Bin", "Item"]))
        #expect(report.leftOut.contains { $0 == ("BookLine", 1069) })
        #expect(Set(report.leftOut.map(\.name)).isSuperset(of: ["BookLine", "BookSnapshot"]))
        #expect(report.models.allSatisfy { $0.name != "BookLine" })
        let device = try await open(.terminal)
        #expect(try await device.store.count(Zone.self) == (dryRun ? 0 : 14))
        #expect(try await device.store.count(BookLine.self) == 0)
        #expect(try await device.store.read { try $0.outboxStatus() }.isEmpty)
        await device.close()
    }
}
