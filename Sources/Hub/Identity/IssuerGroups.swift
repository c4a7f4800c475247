import Basics

/// What the hub makes of the groups that an issuer's tokens name: whoever keeps the groups there may not know which names
/// mean something here, such as `admins`.
public struct IssuerGroups: Sendable, Hashable {
    /// The names that are taken, as the tokens write them; nil takes all.
    public var allowed: Set<String>?
    /// What is put before each, so that none of them can be one of the hub's own.
    public var prefix: String

    /// Takes every group as it is named, unless something else is said.
    public init(allowed: Set<String>? = nil, prefix: String = "") {
        self.allowed = allowed
        self.prefix = prefix
    }

    /// The groups as rules know them.
    public func taken(_ named: Set<String>) -> Set<String> {
        let kept = allowed.map { named.intersection($0) } ?? named
        return prefix.isEmpty ? kept : Set(kept.map { prefix + $0 })
    }

    /// All that a token can come to have; nil where that is any group at all.
    public var all: Set<String>? { allowed.map(taken) }
}
