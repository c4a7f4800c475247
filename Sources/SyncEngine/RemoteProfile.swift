import AppSync
import Basics

/// What a backend can do beyond AppSync's protocol. Learned from its answers: one that announces nothing is AppSync.
public struct RemoteProfile: Sendable, Hashable {
    /// How many mutations one request may carry.
    public var batchSize: Int
    /// Whether it knows a mutation again by its id, so that a retry is answered and not applied twice.
    public var knowsMutationIDs: Bool
    /// Names this life of its database.
    public var epoch: String?

    /// AppSync, and every backend before its first answer: one mutation per request.
    public static let appSync = RemoteProfile(batchSize: 1, knowsMutationIDs: false)
    /// Our hub.
    public static let hub = RemoteProfile(batchSize: 100, knowsMutationIDs: true)

    /// Describes a backend.
    public init(batchSize: Int, knowsMutationIDs: Bool, epoch: String? = nil) {
        self.batchSize = batchSize
        self.knowsMutationIDs = knowsMutationIDs
        self.epoch = epoch
    }

    /// Takes over what an answer's `extensions.bincount` announces.
    package mutating func learn(_ announcement: JSONValue) {
        if let batch = announcement[WireExtension.batch]?.integer { batchSize = Int(min(max(batch, 1), 1000)) }
        if let ids = announcement[WireExtension.mutationIDs]?.bool { knowsMutationIDs = ids }
        if let name = announcement[WireExtension.epoch]?.string { epoch = name }
    }
}
