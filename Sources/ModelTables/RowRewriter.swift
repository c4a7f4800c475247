import Basics
import Models
import SQLite

/// Brings the rows of one table into today's form, in parts, so that memory does not grow with the table.
struct RowRewriter {
    let rewriter: SchemaRewriter
    /// The model as it was.
    let old: StoredLayout.Model
    /// Where its fields stand now, in the old order.
    let columns: [String]
    let table: ModelTable
    let schema: Schema

    func run(on connection: Connection) throws {
        let fields = old.fields.map(\.schema)
        let keys = old.key.compactMap { key in old.fields.firstIndex { $0.name == key } }
        let list = ([ModelTable.rowColumn] + columns.map(quoted)).joined(separator: ",")
        let assignments = table.schema.fields.map { quoted($0.name) + "=?" }.joined(separator: ",")
        let update = "UPDATE \(table.name) SET \(assignments) WHERE \(ModelTable.rowColumn)=?"
        var last: Int64 = 0
        while true {
            let rows = try connection.rows(
                "SELECT \(list) FROM \(table.name) WHERE \(ModelTable.rowColumn)>? ORDER BY 1 LIMIT 500",
                [.integer(last)])
            guard let end = rows.last?[0].integer else { return }
            last = end
            for row in rows {
                var object = JSONObject()
                for (index, field) in fields.enumerated() {
                    let value = row[index + 1]
                    if let field, !value.isNull { object[field.name] = field.wireValue(of: value) }
                }
                let key = keys.map { keyText(row[$0 + 1]) }.joined(separator: "#")
                let values = try values(of: try rewriter.rewrite(old.name, object), key: key)
                try connection.run(update, values + [row[0]])
            }
        }
    }

    private func values(of object: JSONObject, key: String) throws -> [Value] {
        var values: [Value] = []
        for field in table.schema.fields {
            let json = object[field.name] ?? .null
            if json.isNull {
                guard field.isRequired, !field.isReadOnly else {
                    values.append(.null)
                    continue
                }
                guard let standard = field.storedDefault else {
                    throw refusal("\(table.schema.name).\(field.name) of \(key): no value is left after the migration")
                }
                values.append(standard)
                continue
            }
            do {
                values.append(try schema.storageValue(of: json, for: field, in: table.schema.name))
            } catch {
                throw refusal("\(table.schema.name) \(key): \(error)")
            }
        }
        guard Record(schema: table.schema, values: values).id.hasSameBytes(as: key) else {
            throw refusal("\(table.schema.name) \(key): a migration cannot change a record's key")
        }
        return values
    }

    private func refusal(_ problem: String) -> MigrationError {
        .refused(database: "the store", problems: [problem])
    }
}
