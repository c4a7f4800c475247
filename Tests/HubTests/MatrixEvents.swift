import Basics
import Models

@testable import Hub

/// What the matrices of rights tell subscribers: each row as one that is made, one that is changed and one that is deleted.
extension CommittedChange.Kind {
    static let all: [CommittedChange.Kind] = [.create, .update, .delete]
}

extension ModelInfo {
    /// A row of the matrix as it is committed, whatever has happened to it.
    func change(
        _ kind: CommittedChange.Kind, _ values: [String: Value], before: [String: Value]? = nil
    ) -> CommittedChange {
        func row(_ values: [String: Value], _ version: Int64) -> HubRow {
            HubRow(
                rowID: 1, values: schema.fields.map { values[$0.name] ?? .null }, version: version,
                deleted: kind == .delete, lastChangedAt: version)
        }
        var change = CommittedChange(kind: kind, model: index, row: row(values, 2), modelName: schema.name)
        if let before = before.map({ row($0, 1) }), Departure.isOne(from: before, to: change.row, self) {
            change.departed = Departure(before: before, version: 2, stamp: 2).told
        }
        return change
    }

    /// Each row as each kind of change.
    func changes(_ rows: [[String: Value]]) -> [CommittedChange] {
        CommittedChange.Kind.all.flatMap { kind in rows.map { change(kind, $0) } }
    }
}

extension TokenFixture {
    /// Opens a connection that subscribes to each event of a model; a subscription's id is its field's name, with `suffix`.
    func listen(
        _ connection: UInt64, _ token: String, _ info: ModelInfo, _ selection: String, suffix: String = "",
        arguments: String = ""
    ) {
        if suffix.isEmpty { connect(connection, token) }
        for root in info.subscriptions {
            start(connection, root.name + suffix, token, "subscription { \(root.name)\(arguments) { \(selection) } }")
        }
        _ = take(connection)
    }

    /// The rows that a connection was told of since it was last asked, by the subscription's id.
    func told(_ connection: UInt64) -> [String: [JSONValue]] {
        var rows: [String: [JSONValue]] = [:]
        for frame in take(connection) {
            guard let id = frame["id"]?.string, let row = frame["payload"]?["data"]?.object?.members.first?.value
            else { continue }
            rows[id, default: []].append(row)
        }
        return rows
    }
}
