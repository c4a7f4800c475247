import Models

/// The schema of Bincount: every model of `schema.graphql`.
public let warehouse: Schema = modelSchema

/// The text of `schema.graphql`, as this program was built with it.
public let warehouseText: String = modelSchemaText

/// What a store of this kind of device synchronises, where that differs from `@sync` in the schema.
///
/// The schema says what a counter's terminal does. Models that no counter may read stay away from there; the desk and
/// the supervisors' stores read and write everything that travels, each as far as `@auth` lets them.
public func syncPolicies(for kind: DeviceKind) -> [String: SyncPolicy] {
    var result: [String: SyncPolicy] = [:]
    for model in warehouse.models where model.syncPolicy != .none {
        switch kind {
        case .terminal:
            let isForCounters = model.authRules.contains { rule in
                rule.allow == .owner || rule.groupsField != nil || rule.groups.contains("counters")
            }
            if !isForCounters { result[model.name] = SyncPolicy.none }
        case .supervisor, .desk: result[model.name] = .both
        }
    }
    return result
}

extension DeviceKind {
    /// The group of the keys that such devices hold, as `schema.graphql` names it.
    public var group: String {
        switch self {
        case .terminal: "counters"
        case .supervisor: "supervisors"
        case .desk: "desk"
        }
    }
}
