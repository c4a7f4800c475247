import Basics
import Models

/// Operations that wait with a change follow the schema by their field: the bodies of steps are made for values.
extension SchemaRewriter {
    /// An operation on a field of an old model as it is said of today's; nil where the field is gone, or where its values
    /// have another form, in which the operation would mean something else.
    ///
    /// - Parameter base: what the change was made over. What ``SchemaStep/rewrite(_:_:)`` makes of the field there tells
    ///   whether it gives it another form.
    public func rewrite(
        _ old: String, _ operation: FieldOperation, on field: String, over base: JSONObject
    ) throws -> (field: String, operation: FieldOperation)? {
        guard let stored = layout.model(old)?.field(field) else { return nil }
        var (model, name, result) = (old, field, operation)
        var before = base[field] ?? .null
        for step in steps {
            switch step {
            case .renameModel(let from, let to): if from == model { model = to }
            case .renameField(let at, let from, let to): if at == model, from == name { name = to }
            case .removeField(let at, let changed), .convert(let at, let changed, _):
                if at == model, changed == name { return nil }
            case .renameCase(let enumeration, let from, let to) where holds(enumeration, stored, []):
                result = result.mapped { renamed($0, stored, enumeration, from, to) }
                before = renamed(before, stored, enumeration, from, to)
            case .renameCase, .removeModel, .rewrite: break
            }
        }
        if before.isNull { return (name, result) }
        return try rewrite(old, base)[name] == before ? (name, result) : nil
    }
}

extension SchemaRewriter {
    /// Whether a field of an old model has a name now that was another field's then.
    public func isTaken(_ name: String, in old: String) -> Bool {
        layout.model(old)?.fields.contains { $0.name != name && self.name(of: $0.name, in: old) == name } ?? false
    }
}

extension FieldOperation {
    /// With other elements.
    fileprivate func mapped(_ element: (JSONValue) -> JSONValue) -> FieldOperation {
        guard case .edit(let adding, let removing) = self else { return self }
        return .edit(adding: adding.map(element), removing: removing.map(element))
    }
}
