import AppSync
import DataStore
import Models

/// One of a model's three subscriptions.
struct Subscription {
    let id: String
    let operation: ModelOperation
    let model: ModelSchema

    /// Three for each model, with small numbers as ids: some clients and servers expect numbers.
    static func all(of models: [ModelSchema]) -> [String: Subscription] {
        var result: [String: Subscription] = [:]
        var number = 0
        for model in models {
            for operation in ModelOperation.subscriptions {
                number += 1
                result[String(number)] = Subscription(id: String(number), operation: operation, model: model)
            }
        }
        return result
    }
}

/// Changes that wait until their model's fetch is complete, so that no older page comes after them.
struct EventBuffer {
    private(set) var records: [RemoteRecord] = []
    /// More came than are worth keeping: the model is fetched once more instead.
    private(set) var hasOverflown = false

    mutating func append(_ record: RemoteRecord) {
        guard !hasOverflown else { return }
        if records.count >= Self.limit {
            hasOverflown = true
            records = []
        } else {
            records.append(record)
        }
    }

    /// Lets go of changes up to a stamp that pages from the beginning answer for: what is not in those is gone, and its
    /// deletion may be forgotten. Deletions stay: of a record that a waiting change touches, or that was confirmed since
    /// digests were made, no page says that it is gone.
    mutating func drop(changedUpTo stamp: Int64) { records.removeAll { !$0.deleted && $0.lastChangedAt <= stamp } }

    static let limit = 20_000
}
