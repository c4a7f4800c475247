import Models

/// What AppSync generates for a `@model` type.
public enum ModelOperation: Sendable, Hashable, CaseIterable {
    case get, list, sync
    case create, update, delete
    case onCreate, onUpdate, onDelete

    /// The root type that has the field.
    public var root: String {
        switch self {
        case .get, .list, .sync: "Query"
        case .create, .update, .delete: "Mutation"
        case .onCreate, .onUpdate, .onDelete: "Subscription"
        }
    }

    /// What ``OperationNames`` calls it.
    var key: String { "\(self)" }

    /// The three subscriptions.
    public static let subscriptions: [ModelOperation] = [.onCreate, .onUpdate, .onDelete]
    /// The three mutations.
    public static let mutations: [ModelOperation] = [.create, .update, .delete]
}

extension ModelSchema {
    /// The type's name with its first letter in upper case, as operation names have it.
    public var capitalizedName: String { capitalized(name) }

    /// The name of a root field: `getBin`, `listBins`, `syncBins`, `createBin`, `onCreateBin`.
    ///
    /// AppSync cuts a subscription's name of more than 50 characters to 45 and five hexadecimal digits of its MD5.
    /// - Parameter md5: gives the MD5 of a text in lower-case hexadecimal; without it a long name stays whole.
    public func operationName(_ operation: ModelOperation, md5: ((String) -> String)? = nil) -> String {
        if let own = operations.names[operation.key] { return own }
        switch operation {
        case .get: return "get" + capitalizedName
        case .list: return "list" + capitalized(pluralName)
        case .sync: return "sync" + capitalized(pluralName)
        case .create: return "create" + capitalizedName
        case .update: return "update" + capitalizedName
        case .delete: return "delete" + capitalizedName
        case .onCreate: return shortened("onCreate" + capitalizedName, md5)
        case .onUpdate: return shortened("onUpdate" + capitalizedName, md5)
        case .onDelete: return shortened("onDelete" + capitalizedName, md5)
        }
    }

    /// Whether the model has an operation: `@model(queries: null)` and the like remove some.
    public func has(_ operation: ModelOperation) -> Bool { !operations.removed.contains(operation.key) }

    /// `CreateBinInput`, `UpdateBinInput`, `DeleteBinInput`; nil for queries and subscriptions.
    public func inputTypeName(_ operation: ModelOperation) -> String? {
        switch operation {
        case .create: "Create\(capitalizedName)Input"
        case .update: "Update\(capitalizedName)Input"
        case .delete: "Delete\(capitalizedName)Input"
        case .get, .list, .sync, .onCreate, .onUpdate, .onDelete: nil
        }
    }

    /// `ModelBinFilterInput`, the filter of list and sync.
    public var filterTypeName: String { "Model\(capitalizedName)FilterInput" }
    /// `ModelBinConditionInput`, the condition of mutations.
    public var conditionTypeName: String { "Model\(capitalizedName)ConditionInput" }
    /// `ModelSubscriptionBinFilterInput`, the filter of subscriptions.
    public var subscriptionFilterTypeName: String { "ModelSubscription\(capitalizedName)FilterInput" }
    /// `ModelBinConnection`, the page of list and sync.
    public var connectionTypeName: String { "Model\(capitalizedName)Connection" }
}

/// `text` with its first letter in upper case.
private func capitalized(_ text: String) -> String {
    guard let first = text.first else { return text }
    return first.uppercased() + text.dropFirst()
}

private func shortened(_ name: String, _ md5: ((String) -> String)?) -> String {
    guard name.count > 50, let md5 else { return name }
    return String(name.prefix(45) + md5(name).prefix(5))
}

/// The fields that every synchronised type has beside its own.
public enum SyncField {
    /// The version that the service counts, from 1.
    public static let version = "_version"
    /// `true` on a tombstone, null on a live record.
    public static let deleted = "_deleted"
    /// Milliseconds of the last change, by the service's counter.
    public static let lastChangedAt = "_lastChangedAt"
    /// GraphQL's own name of the type.
    public static let typename = "__typename"
}
