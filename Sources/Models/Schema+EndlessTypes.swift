extension Schema {
    /// The first embedded type within a model that holds itself, as only a list may; nil where none does.
    ///
    /// A hub serves such a model to whoever asks as deep as he likes. No GraphQL document asks for all of it, so that no store
    /// can have a whole copy.
    public func endlessType(in model: ModelSchema) -> String? {
        var done: Set<String> = []
        func find(_ fields: [FieldSchema], _ path: [String]) -> String? {
            for field in fields {
                guard case .embedded(let name) = field.type else { continue }
                if path.contains(name) { return name }
                guard !done.contains(name) else { continue }
                if let found = find(embedded[name] ?? [], path + [name]) { return found }
                done.insert(name)
            }
            return nil
        }
        return find(model.fields, [])
    }
}
