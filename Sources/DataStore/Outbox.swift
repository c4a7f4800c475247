import Basics
import Models

/// The local changes that the backend does not have yet.
public struct Outbox: Sendable {
    let store: DataStore

    /// Entries in their order.
    public func list(
        state: MutationState? = nil, identity: String?? = .none, after: Int64 = .min, limit: Int = 1000
    ) async throws -> [OutboxEntry] {
        try await store.read { try $0.outbox(state: state, identity: identity, after: after, limit: limit) }
    }

    /// An entry and its fields side by side: base, sent, here, there.
    public func show(_ order: Int64) async throws -> (entry: OutboxEntry, differences: [OutboxDifference]) {
        try await store.read { transaction in
            guard let entry = try transaction.outboxEntry(order) else { throw StoreError.unknownEntry(order) }
            return (entry, try transaction.difference(entry))
        }
    }

    /// Lets a parked entry be sent again.
    public func retry(_ order: Int64) async throws {
        try await store.transaction { try $0.retryOutbox(order) }
    }

    /// Lets all parked entries be sent again; gives how many there were.
    @discardableResult
    public func retryAll(identity: String?? = .none) async throws -> Int {
        try await store.transaction { transaction in
            var count = 0
            while case let parked = try transaction.outbox(state: .parked, identity: identity, limit: 500),
                !parked.isEmpty
            {
                for entry in parked { try transaction.retryOutbox(entry.order) }
                count += parked.count
            }
            return count
        }
    }

    /// The entries that cannot go before this one is decided.
    public func dependants(of order: Int64) async throws -> [OutboxEntry] {
        try await store.read { try $0.dependants(of: order) }
    }

    /// Takes a change back; refused for create-only models. One that goes as one with others is taken back only with them
    /// (`wholeUnit`). Gives the numbers of the entries that went.
    @discardableResult
    public func revert(_ order: Int64, wholeUnit: Bool = false) async throws -> [Int64] {
        try await store.transaction { try $0.revertOutbox(order, wholeUnit: wholeUnit) }
    }

    /// The entries that go as one with this one, itself among them; it alone where it goes for itself.
    public func unit(of order: Int64) async throws -> [OutboxEntry] {
        try await store.read { try $0.unit(of: order) }
    }

    /// Sends other values in place of an entry's; refused for create-only models.
    public func edit(_ order: Int64, fields: JSONObject) async throws {
        try await store.transaction { try $0.editOutbox(order, fields: fields) }
    }

    /// The waiting entries as JSON, one a line, in parts; only one store may send them then (``DataStore/exportOutbox(to:)``).
    public func export(after: Int64 = .min, limit: Int = 1000) async throws -> (lines: [String], last: Int64?) {
        try await store.read { try $0.exportOutbox(after: after, limit: limit) }
    }

    /// Takes in exported entries; gives how many were new. ``importFile(_:)`` takes in what does not fit into memory.
    @discardableResult
    public func importLines(_ lines: [String]) async throws -> Int {
        try await store.transaction { try $0.importOutbox(lines) }
    }

    /// Takes in the entries of a file that ``DataStore/exportOutbox(to:)`` wrote, line by line; all of them or none.
    ///
    /// - Throws: ``StoreError/invalidImport(file:line:reason:)``, which names the file, the line and what is wrong there.
    @discardableResult
    public func importFile(_ path: String) async throws -> OutboxImport {
        try await store.transaction { try $0.importOutbox(fromFile: path) }
    }
}
