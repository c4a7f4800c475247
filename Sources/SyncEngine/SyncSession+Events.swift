import DataStore
import Models

/// What the readers of a store's events hear of synchronising, and in which order.
extension SyncSession {
    /// Tells of something that failed; the store tells of what it finds wrong itself.
    func tell(of problem: StoreProblem) { perform(.event(.failure(problem))) }

    /// The backend refuses the credentials, and one kind of work pauses.
    func tellOfPause(_ process: StoreProblem.Process, _ reason: String) {
        perform(.event(.paused(process, identity: options.person, detail: reason)))
    }

    /// Changes arrive by themselves now.
    func tellOfLink() {
        isReadyTold = false
        perform(.event(.networkStatus(isActive: true, detail: "")))
        perform(.event(.subscriptionsEstablished))
    }

    /// Every model is complete.
    func tellOfCompleteness() {
        perform(.event(.syncQueriesReady))
        guard connection.isLive, !isReadyTold else { return }
        isReadyTold = true
        perform(.event(.ready))
    }

    /// A page was applied; the first of a run begins its count.
    func countApplied(_ model: String, _ report: ApplyReport, rows: Int, isFirst: Bool) {
        var counts = isFirst ? ModelCounts() : modelCounts[model] ?? ModelCounts()
        counts.rows += rows
        counts.created += report.created
        counts.updated += report.updated
        counts.deleted += report.deleted
        modelCounts[model] = counts
        if rows > 0 { perform(.event(.progress(model: model, rows: counts.rows))) }
    }

    /// The backend forgot some of what changed since a model's mark.
    func tellOfTruncation(_ model: String) {
        status.gaps += 1
        perform(.event(.truncated(model: model, .history)))
    }
}
