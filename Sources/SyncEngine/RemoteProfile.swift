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
    /// The first stamp of this life; a backend may not tell it.
    public var firstStamp: Int64?
    /// The first stamp of this life, where it began with a backup that was put back.
    public var began: Int64?
    /// Of the lives before this one, the last stamp that its database has.
    public var earlierLives: [String: Int64] = [:]
    /// The first stamps of the lives before this one; a backend may not tell of them.
    public var earlierBegins: [String: Int64] = [:]
    /// Whether it applies the changes of a transaction all or not at all.
    public var appliesUnits = false
    /// Whether it takes operations on `@counter` and `@set` fields.
    public var takesOperations = false
    /// Whether it leaves alone what a change of an embedded value does not change: members that this client may not know.
    public var keepsMembers = false
    /// Whether it carries a change out only with those that it needs.
    public var mindsNeeds = false
    /// Whether it tells by digests what differs from what is here.
    public var comparesDigests = false
    /// Whether it tells of rows that leave a filter.
    public var tellsLeft = false
    /// Whether it was heard of since the start: what is not known of every backend waits until then.
    public var isKnown = false
    /// Whether it announced something since the start: silence then says nothing.
    private var hasAnnounced = false

    /// AppSync, and every backend before its first answer: one mutation per request.
    public static let appSync = RemoteProfile(batchSize: 1, knowsMutationIDs: false)
    /// Our hub.
    public static let hub: RemoteProfile = {
        var profile = RemoteProfile(batchSize: 100, knowsMutationIDs: true)
        // Said from the first request on: a hub that does not understand it passes over it.
        profile.keepsMembers = true
        profile.tellsLeft = true
        return profile
    }()

    /// Describes a backend.
    public init(batchSize: Int, knowsMutationIDs: Bool, epoch: String? = nil) {
        self.batchSize = batchSize
        self.knowsMutationIDs = knowsMutationIDs
        self.epoch = epoch
    }

    /// Takes over what an answer announces; a backend that never announces anything is AppSync, and whoever answers
    /// without data is none.
    package mutating func learn(_ answer: AnswerTail) {
        guard let announcement = answer.bincount else {
            guard answer.hasData else { return }
            // What knows mutations again says so with each answer.
            if !hasAnnounced, knowsMutationIDs { self = .appSync }
            isKnown = true
            return
        }
        isKnown = true
        hasAnnounced = true
        appliesUnits = announcement[WireExtension.atomic]?.bool ?? false
        takesOperations = announcement[WireExtension.operations]?.bool ?? false
        mindsNeeds = announcement[WireExtension.needs]?.bool ?? false
        keepsMembers = announcement[WireExtension.bases]?.bool ?? false
        tellsLeft = announcement[WireExtension.left].map { $0.bool ?? true } ?? false
        if let digest = announcement[WireExtension.digest] { comparesDigests = digest.bool ?? true }
        if let batch = announcement[WireExtension.batch]?.integer { batchSize = Int(min(max(batch, 1), 1000)) }
        if let ids = announcement[WireExtension.mutationIDs]?.bool { knowsMutationIDs = ids }
        if let name = announcement[WireExtension.epoch]?.string {
            epoch = name
            firstStamp = announcement[WireExtension.began]?.integer
            let lives = announcement[WireExtension.lives]
            began = lives?["began"]?.integer
            func stamps(_ key: String) -> [String: Int64] {
                var result: [String: Int64] = [:]
                for member in lives?[key]?.object?.members ?? [] { result[member.key] = member.value.integer }
                return result
            }
            earlierLives = stamps("has")
            earlierBegins = stamps("since")
        }
    }
}
