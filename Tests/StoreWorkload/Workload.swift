import Basics
import DataStore
import Models
import System

/// What a store goes through: each kind of write, in an order that is always the same, so that the N-th write to the disk
/// is the same write at every run.
package final class Workload {
    /// One thing that a program asks of its store.
    package struct Step: Sendable {
        package let name: String
        /// Whether it is on the disk when it has returned; what can be fetched again need not be.
        package let isDurable: Bool
        let body: @Sendable (Workload) throws -> Void
    }

    let directory: String
    private(set) var store: StoreCore?
    var taken: MutationBatch?

    package init(directory: String) {
        self.directory = directory
    }

    func open(_ schema: Schema, _ versions: [SchemaVersion] = []) throws {
        store = nil
        store = try StoreCore(schema: schema, at: .directory(directory), options: Self.options(versions))
    }

    func close() {
        store?.close()
        store = nil
    }

    static func options(_ versions: [SchemaVersion], seed: UInt64 = 5) -> StoreOptions {
        StoreOptions(time: ManualTimeSource(), random: SeededRandom(seed: seed), migrations: versions)
    }

    struct NotOpen: Error {}

    func core() throws -> StoreCore {
        guard let store else { throw NotOpen() }
        return store
    }

    func record(_ model: String, _ fields: [String: Value]) throws -> Record {
        guard let schema = try core().schema.model(model) else { throw NotOpen() }
        return Record(schema: schema, values: schema.fields.map { fields[$0.name] ?? .null })
    }

    func save(_ model: String, _ fields: [String: Value]) throws {
        let record = try record(model, fields)
        try core().write(as: "ann") { try $0.save(record) }
    }

    func remote(_ model: String, _ fields: [String: Value], _ version: Int64) throws -> RemoteRecord {
        RemoteRecord(record: try record(model, fields), version: version, lastChangedAt: version * 1000)
    }

    /// Does all steps; what fails is tried again, as a program does whose user asks once more.
    ///
    /// - Returns: Whether all of it was done; false where one step failed three times.
    package func run(acknowledge: (Int) throws -> Void, failed: (String, any Error) -> Void) rethrows -> Bool {
        for (number, step) in Self.steps.enumerated() {
            var isDone = false
            for _ in 0..<3 where !isDone {
                do {
                    try step.body(self)
                    isDone = true
                } catch {
                    failed(step.name, error)
                }
            }
            guard isDone else { return false }
            try acknowledge(number)
        }
        return true
    }
}
