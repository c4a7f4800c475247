import Basics
import ModelTables
import Models
import SQLite

/// After a migration that added fields, rows that were fetched before lack them: their models are fetched again from the
/// start, and what comes in the very version that is here brings what is missing.
extension BesideRows {
    /// Notes which fields the rows of each model lack, until all of it was fetched again.
    func noteLacked(_ fields: [SchemaChange.FieldName]) throws {
        for (model, added) in Dictionary(grouping: fields, by: \.model) {
            let key = Value.text(StoreCore.lackedPrefix + model)
            let known = try connection.value("SELECT \"value\" FROM \"_meta\" WHERE \"key\"=?", [key])?.text
            let names = Set(added.map(\.field)).union((known ?? "").split(separator: ",").map(String.init))
            try connection.run(
                "INSERT OR REPLACE INTO \"_meta\" VALUES(?,?)", [key, .text(names.sorted().joined(separator: ","))])
        }
    }
}

extension BesideRows {
    /// What rows lack is called as it is today.
    func renameLacked(_ rewriter: SchemaRewriter) throws {
        let known = try connection.rows(
            "SELECT \"key\",\"value\" FROM \"_meta\" WHERE \"key\" GLOB '\(StoreCore.lackedPrefix)*'")
        for row in known { try connection.run("DELETE FROM \"_meta\" WHERE \"key\"=?", [row[0]]) }
        for row in known {
            guard let key = row[0].text, let names = row[1].text,
                case let old = String(key.dropFirst(StoreCore.lackedPrefix.count)), let model = rewriter.model(old)
            else { continue }
            let today = names.split(separator: ",").compactMap { rewriter.name(of: String($0), in: old) }
            let fields = today.filter { schema.model(model)?.field($0) != nil }
            guard !fields.isEmpty else { continue }
            try connection.run(
                "INSERT OR REPLACE INTO \"_meta\" VALUES(?,?)",
                [.text(StoreCore.lackedPrefix + model), .text(fields.joined(separator: ","))])
        }
    }
}

extension StoreCore {
    fileprivate static let lackedPrefix = "lacked."

    func readLackedFields() throws -> [String: [String]] {
        var result: [String: [String]] = [:]
        let rows = try connection.rows(
            "SELECT \"key\",\"value\" FROM \"_meta\" WHERE \"key\" GLOB '\(Self.lackedPrefix)*'")
        for row in rows {
            guard let key = row[0].text, let names = row[1].text else { continue }
            result[String(key.dropFirst(Self.lackedPrefix.count))] = names.split(separator: ",").map(String.init)
        }
        return result
    }

    /// Whether rows of a model lack fields that were added since they were fetched.
    package func lacksFields(_ model: String) -> Bool { lackedFields[model] != nil }

    /// All rows of a model have been fetched with the fields that they lacked.
    func forgetLackedFields(of model: String) throws {
        guard lackedFields.removeValue(forKey: model) != nil else { return }
        try connection.run("DELETE FROM \"_meta\" WHERE \"key\"=?", [.text(Self.lackedPrefix + model)])
    }

    /// Takes what a row lacks from the same version of it; false where there is nothing to take.
    func fillIn(
        _ remote: RemoteRecord, _ waiting: [OutboxEntry], _ table: StoreTable, _ id: String,
        _ report: inout ApplyReport
    ) throws -> Bool {
        guard let names = lackedFields[table.model.name], !remote.deleted,
            let old = try table.fetch(id, on: connection), old.version == remote.version
        else { return false }
        if var image = try shadow(table.model.name, id), image.version == remote.version {
            let object = table.wire.object(remote.record.values)
            for name in names { image.object[name] = object[name] ?? .null }
            try putShadow(table.model.name, id, image)
        }
        // What a waiting change sets stays as it is here.
        let touched = Set(waiting.flatMap { $0.fields.members.map(\.key) })
        var values = old.values
        let positions = table.model.fields.indices.filter { position in
            let name = table.model.fields[position].name
            return names.contains(name) && !touched.contains(name) && values[position] != remote.record.values[position]
        }
        guard !positions.isEmpty else { return false }
        for position in positions { values[position] = remote.record.values[position] }
        try table.update(id, values, positions, on: connection)
        report.updated += 1
        note(.updated, table, id, values, isLocal: false)
        return true
    }
}
