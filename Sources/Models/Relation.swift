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

extension ModelSchema {
    /// A relation by name.
    public func relation(_ name: String) -> RelationSchema? { relations.first { $0.name == name } }
}
