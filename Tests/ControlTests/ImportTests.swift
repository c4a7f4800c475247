import Basics
import Counting
import DataStore
import Models
import System
import Testing
import WarehouseModels

@testable import InventoryControl

@Suite struct ImportTests {
    static let samples = Files.parent(of: Files.parent(of: #filePath)) + "/Samples/adventureworks/"

    private func plan(
        _ names: [String], mappings: [String] = ["Location", "Product", "ProductInventory"], in folder: String = samples
    ) throws -> ImportPlan {
        let mappings = try mappings.map {
            try ImportMapping(try Files.readText(folder + $0 + ".mapping"), name: $0 + ".mapping", schema: warehouse)
        }
        return try ImportPlan(
            files: try names.map { ImportFile(path: $0, bytes: try Files.read(folder + $0)) },
            mappings: mappings, schema: warehouse,
            environment: ImportEnvironment(
                makeID: { RecordID.natural($0, ["site"] + $1, sha256: hex) }, sha256: hex,
                checkDigits: { codes in
                    let digits = CheckDigits.assign(codes.map { (code: $0, existing: nil) }, seed: "site")
                    return codes.map { digits[$0] ?? "" }
                }, exists: { _, _ in false }))
    }

    private func store() async throws -> DataStore {
        try await DataStore(
            schema: warehouse, at: .memory,
            options: StoreOptions(
                time: ManualTimeSource(), policies: syncPolicies(for: .desk), isLocalOnly: true, checksParents: false))
    }

    @Test func adventureWorksIsTakenWholeAndASecondRunChangesNothing() async throws {
        let store = try await store()
        let plan = try plan(["ProductInventory.csv", "Location.csv", "Product.csv"])
        let first = try await plan.run(on: store, dryRun: false) { _, _ in }
        #expect(first.rejected.isEmpty)
        #expect(try await store.count(Item.self) == 504)
        #expect(try await store.count(Zone.self) == 14)
        #expect(try await store.count(Bin.self) == 753)
        #expect(try await store.count(BookLine.self) == 1069)
        let snapshot = try #require(try await store.query(BookSnapshot.self).first)
        #expect(snapshot.lines == 1069 && snapshot.bookFrozen)
        let again = try await plan.run(on: store, dryRun: false) { _, _ in }
        #expect(again.changes == 0)
    }

    @Test func peopleAreTakenWithTheirRoles() async throws {
        let store = try await store()
        let folder = Files.parent(of: Files.parent(of: #filePath)) + "/Samples/site/"
        let report = try await plan(["people.csv"], mappings: ["people"], in: folder).run(on: store, dryRun: false) {
            _, _ in
        }
        #expect(report.rejected.isEmpty)
        let sue = try #require(try await store.query(Person.self, where: Person.login == "sue").first)
        #expect(sue.name == "Sue Park" && sue.roles == [.supervisors] && sue.active)
    }

    @Test func aDryRunCountsAndWritesNothing() async throws {
        let store = try await store()
        let report = try await plan(["Location.csv", "Product.csv"]).run(on: store, dryRun: true) { _, _ in }
        #expect(report.changes >= 518)
        #expect(try await store.count(Item.self) == 0)
    }

    @Test func stockOfUnknownItemsIsRejectedByNameAndLine() async throws {
        let rejected = try plan(["Location.csv", "ProductInventory.csv"]).rejected
        #expect(rejected.count >= 1069)
        #expect(rejected.allSatisfy { $0.file == "ProductInventory.csv" && $0.line > 0 && !$0.reason.isEmpty })
    }
}
