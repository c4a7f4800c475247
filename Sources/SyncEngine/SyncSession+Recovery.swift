import AppSync
import DataStore
import Models

/// A backend that was restored from a backup: what was made here and is lost there is sent again.
///
/// What is lost goes first: a change sent before it would be carried out without it, and then, at a backend that does not
/// merge, the lost one would be the late one and give way. So each push names the life it is meant for, and a backend in
/// another life carries out nothing of it; no push waits for a look at the backend first. A backend that does not know
/// the name carries it out, and what it refuses for want of what is lost is put back. Nothing is doubled either way, since
/// all go under their ids.
extension SyncSession {
    static let beganKey = "began"

    /// Looks once a session, and with every other life of the backend, whether it lacks what it confirmed here. Runs
    /// between events, when nothing else holds entries.
    func recoverIfDue() {
        guard isRunning, isRecoveryDue, let name = epoch else { return }
        attempt {
            guard try core.hasLostChanges(in: name, having: profile.earlierLives) else {
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
                    .mutate, .transient, cause: .lostChanges,
                    message: "the backend was restored and lacks \(count) changes that were made here",
                    recovery: "they are sent again"))
        }
        run(outbox.handle(.start))
        run(outbox.handle(.wake))
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

    /// Answers of an earlier life that the store could not take: kept now they would pass for this life's, and what they
    /// confirm may be lost. The changes are sent once more, under the same ids.
    func askAgainWhatAnotherLifeAnswered() {
        unsettled = unsettled.map { results, entries in
            let asked = results.map { result in
                MutationResult(order: result.order, outcome: .untouched(reason: "the backend was restored"))
            }
            return (asked, entries)
        }
    }

    func tellOfDisowned(_ count: Int, _ model: ModelSchema) {
        tell(
            of: StoreProblem(
                .sync, .transient, cause: .lostRows, model: model.name,
                message: "the backend was restored and lacks \(count) rows of \(model.name) that others made",
                recovery: "they stay here, as rows that only this store has, until who made them connects again"))
    }
}

extension MutationResult.Outcome {
    /// What an answer says that came from another life of the backend than the request was meant for: what it applied is
    /// applied; what it refused, it may have refused for lack of what is brought back first.
    var inAnotherLife: MutationResult.Outcome {
        switch self {
        case .applied, .appliedUnreadable, .transient, .untouched: self
        case .conflict, .refused: .untouched(reason: "the backend was restored")
        }
    }
}
