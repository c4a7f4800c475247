/// A relation from `M` to at most one `Target`: a `@belongsTo` or `@hasOne` of the schema.
///
///     Comment.post.matches(Post.title.contains("tea"))      // comments on such posts
///     try transaction.related(comment, Comment.post)         // the post itself
public struct ToOne<M: Model, Target: Model>: Sendable, Hashable {
    /// The relation's name in the schema.
    public let name: String

    /// Names a relation.
    public init(_ name: String) {
        self.name = name
    }

    /// True of records whose related record is here and meets `condition`.
    public func matches(_ condition: Predicate<Target> = .all) -> Predicate<M> {
        Predicate(.related(name, condition.node))
    }
}

/// A relation from `M` to any number of `Target`: a `@hasMany` of the schema.
///
///     Post.comments.contains(Comment.author == "ann")        // posts on which Ann wrote
public struct ToMany<M: Model, Target: Model>: Sendable, Hashable {
    /// The relation's name in the schema.
    public let name: String

    /// Names a relation.
    public init(_ name: String) {
        self.name = name
    }

    /// True of records to which at least one record belongs that meets `condition`.
    public func contains(_ condition: Predicate<Target> = .all) -> Predicate<M> {
        Predicate(.related(name, condition.node))
    }

    /// True of records all of whose related records meet `condition`; also of those that have none.
    public func allSatisfy(_ condition: Predicate<Target>) -> Predicate<M> { !contains(!condition) }
}

extension RelationSchema {
    /// The fields that must be equal: the declaring model's, and the other model's.
    public func pairs(from own: ModelSchema, to target: ModelSchema) -> [(own: String, target: String)] {
        isKeyInTarget ? Array(zip(own.primaryKey, fields)) : Array(zip(fields, target.primaryKey))
    }
}

/// Fields by which the records of a model name another record.
public struct Reference: Sendable, Hashable {
    /// The fields of the model that names it.
    public let fields: [String]
    /// The other record's model, whose key they hold.
    public let target: String
}

extension Schema {
    /// What the records of a model refer to, whichever side says so: the model's own `@belongsTo`, a `@hasMany` or
    /// `@hasOne(references:)` of the other model, or an own `@hasOne` that holds the key here. Each once.
    ///
    /// Where a model says `@hasOne` and the other `@belongsTo` back, both hold the other's key: the one that belongs
    /// refers to the one that has it, since of two records that wait for each other neither could go.
    public func references(of model: ModelSchema) -> [Reference] {
        var found: [Reference] = []
        func add(_ relation: RelationSchema, _ target: ModelSchema) {
            let reference = Reference(fields: relation.fields, target: target.name)
            let isKey = !relation.fields.isEmpty && relation.fields.count == target.primaryKey.count
            guard isKey, relation.fields.allSatisfy({ model.position(of: $0) != nil }), !found.contains(reference)
            else {
                return
            }
            found.append(reference)
        }
        for relation in model.relations where !relation.isKeyInTarget {
            guard let target = self.model(relation.target) else { continue }
            let back = target.relations.first { $0.kind == .belongsTo && $0.target == model.name }
            if relation.kind == .belongsTo || back == nil { add(relation, target) }
        }
        for other in models {
            for relation in other.relations where relation.isKeyInTarget && relation.target == model.name {
                add(relation, other)
            }
        }
        return found
    }
}

extension ModelSchema {
    /// A relation by name.
    public func relation(_ name: String) -> RelationSchema? { relations.first { $0.name == name } }
}
