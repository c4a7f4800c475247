import AppSync
import DataStore
import Models

/// A backend that was restored from a backup: what was made here and is lost there is sent again.
extension SyncSession {
    static let beganKey = "began"

    /// Looks once a session, and with every other life of the backend, whether it lacks what it confirmed here. Runs
    /// between events, when nothing else holds entries.
    func recoverIfDue() {
        guard isRunning, isRecoveryDue, let name = epoch else { return }
        attempt {
            guard try core.hasChangesOfOtherLives(than: name) else {
                isRecoveryDue = false
                return
            }
            // What is under way may be answered by either life: it is asked once more, under the same ids.
            withdrawPushes()
            let count = try core.recover(into: name, having: profile.earlierLives)
            isRecoveryDue = false
            refreshCounts()
            guard count > 0 else { return }
            tell(
                of: StoreProblem(
                    .mutate, .transient,
                    message: "the backend was restored and lacks \(count) changes that were made here",
                    recovery: "they are sent again"))
        }
        run(outbox.handle(.start))
    }

    private func withdrawPushes() {
        for id in pending.keys.sorted() {
            switch pending[id]?.what {
            case .push?, .verify?, .probe?: break
            case .pull?, .readable?, nil: continue
            }
            _ = takeRequest(id)
            perform(.cancelHTTP(id: id))
        }
        run(outbox.handle(.stop))
        unsettled.removeAll()
        echoes.reset()
        attempt { try core.resetSending() }
    }

    func tellOfDisowned(_ count: Int, _ model: ModelSchema) {
        tell(
            of: StoreProblem(
                .sync, .transient, model: model.name,
                message: "the backend was restored and lacks \(count) rows of \(model.name) that others made",
                recovery: "they stay here, as rows that only this store has, until who made them connects again"))
    }
}

extension MutationResult.Outcome {
    /// What an answer says that came from another life of the backend than the request was meant for: what it applied is
    /// applied; what it refused, it may have refused for lack of what is brought back first.
    var inAnotherLife: MutationResult.Outcome {
        switch self {
        case .applied, .transient: self
        case .conflict, .refused: .transient(reason: "the backend was restored", delay: 0)
        }
    }
}
