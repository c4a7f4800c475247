/// What the open transaction did so far, for the observers.
struct CommitLog {
    /// So many changes of one model in one transaction are told as a reset.
    static let limit = 10_000

    private var changes: [Change] = []
    private var counts: [String: Int] = [:]
    private var resets: Set<String> = []
    /// Models that changed while nobody asked for their changes.
    private var untold: Set<String> = []
    private var lastTouched = ""
    var touchedOutbox = false

    mutating func add(_ change: Change) {
        let count = counts[change.model, default: 0] + 1
        counts[change.model] = count
        if count <= CommitLog.limit {
            changes.append(change)
        } else {
            resets.insert(change.model)
        }
    }

    /// Notes that a model changed in a way nobody is told of in detail.
    mutating func touch(_ model: String) {
        if model == lastTouched { return }
        lastTouched = model
        untold.insert(model)
    }

    /// Tells of a model that it is another altogether.
    mutating func reset(_ model: String) { resets.insert(model) }

    /// Ends the transaction. A reader that came while it ran, and so missed changes, is told to look again.
    mutating func take(_ interest: ((String) -> Bool)?) -> CommittedChanges {
        defer { self = CommitLog() }
        let late = interest.map { interest in untold.filter(interest) } ?? untold
        let all = resets.union(late)
        return CommittedChanges(
            changes: all.isEmpty ? changes : changes.filter { !all.contains($0.model) }, resetModels: all,
            touchedOutbox: touchedOutbox)
    }
}

extension CommittedChanges {
    /// Whether there is nothing to tell.
    var isEmpty: Bool { changes.isEmpty && resetModels.isEmpty && !touchedOutbox }
}
