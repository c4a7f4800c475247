/// Where the API takes a condition on records; each place has operators of its own.
public enum FilterPlace: Sendable, Hashable, CaseIterable {
    /// The `filter` of a list or a sync.
    case filter
    /// The `condition` of a mutation, which cannot name the key.
    case condition
    /// The `filter` of a subscription, which has no `not` and cannot ask whether there is a value.
    case subscription
}

/// An operator of the API's conditions, by its name there.
public enum FilterOperator: String, Sendable, Hashable, CaseIterable {
    case eq, ne, lt, le, gt, ge, between, contains, notContains, beginsWith, attributeExists
    case isIn = "in"
    case notIn
}

extension ModelSchema {
    /// The operators by which the API can be asked for a field (`appsync-protocol.md` §1.5), as far as they mean there what
    /// they mean here.
    public func filterOperators(of field: FieldSchema, in place: FilterPlace) -> Set<FilterOperator> {
        if place == .condition, primaryKey.contains(field.name) { return [] }
        let equality: Set<FilterOperator> = [.eq, .ne]
        let order: Set<FilterOperator> = [.lt, .le, .gt, .ge, .between]
        let containment: Set<FilterOperator> = [.contains, .notContains]
        let isLive = place == .subscription
        let presence: Set<FilterOperator> = isLive ? [] : [.attributeExists]
        let choice: Set<FilterOperator> = isLive ? [.isIn, .notIn] : []
        switch (field.type, field.isList) {
        case (.embedded, _): return []
        case (.enumeration, true): return isLive ? containment : equality.union(containment)
        case (.enumeration, false): return equality.union(choice)
        // A list is compared with one value only: whether that is in it.
        case (.scalar(let scalar), true): return scalar.isTextInFilters ? containment.union(presence) : presence
        case (.scalar(.boolean), false): return equality.union(presence)
        case (.scalar(let scalar), false):
            let ordered = equality.union(order).union(presence).union(choice)
            // A date's text has parts, and here it has none.
            let hasParts = scalar.isTextInFilters && scalar != .awsDateTime
            return hasParts ? ordered.union(containment).union([.beginsWith]) : ordered
        }
    }
}

extension ScalarType {
    /// Whether the API compares it as `String` or `ID`.
    fileprivate var isTextInFilters: Bool {
        switch self {
        case .int, .awsTimestamp, .float, .decimal, .boolean: false
        default: true
        }
    }
}
