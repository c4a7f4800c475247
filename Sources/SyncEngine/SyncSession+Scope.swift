import AppSync
import DataStore
import Models

/// Which models and rows are here: policies, scopes, persons and the backend's epochs.
extension SyncSession {
    func scopeName(of model: ModelSchema) -> String? {
        options.scope.name(of: model, person: options.person, groups: options.groups)
    }

    /// Makes marks and rows fit who is signed in and what is kept; what was fetched for another is evicted unless unsent.
    func checkScopes() {
        for model in receivedModels {
            let scope = scopeName(of: model)
            attempt {
                let mark = try core.mark(of: model.name)
                guard mark.scope != scope else { return }
                let kept = options.scope.filters[model.name]
                let evicted: PredicateNode =
                    model.isReadByOwner(options.groups) ? .all : kept.map { .not($0) } ?? .not(.all)
                try core.evict(model: model.name, where: evicted)
                try core.setMark(SyncMark(model: model.name, scope: scope, epoch: epoch))
            }
        }
        for model in core.schema.models where !core.options.policy(of: model).receives {
            attempt {
                // Received until its policy changed: what the backend has goes, what is unsent stays.
                guard try core.mark(of: model.name) != SyncMark(model: model.name) else { return }
                try core.evict(model: model.name, where: .all)
                try core.setMark(SyncMark(model: model.name))
            }
        }
    }

    /// Lets go of what the backend does not give to this caller any more.
    func revoke(_ model: ModelSchema) {
        attempt {
            try core.evict(model: model.name, where: .all)
            try core.setMark(SyncMark(model: model.name, scope: scopeName(of: model), epoch: epoch))
        }
    }

    /// Other policies hold: other models are fetched and subscribed to.
    func policiesChanged() {
        receivedModels = orderedModels.filter { core.options.policy(of: $0).receives }
        subscriptions = Subscription.all(of: receivedModels)
        // Their numbers are given anew.
        subscriptionModes.removeAll()
        forgetUnreceived()
        refreshCounts()
        rescope()
        run(outbox.handle(.wake))
    }

    /// What was sent and is outside the scope goes, now that the backend has it.
    func letGoOfOutside(_ entries: [OutboxEntry]) {
        for (name, sent) in Dictionary(grouping: entries, by: \.model).sorted(by: { $0.key < $1.key }) {
            guard let filter = options.scope.filters[name], let model = core.schema.model(name),
                core.options.policy(of: model).receives
            else { continue }
            attempt {
                try core.letGo(model: name, ids: Set(sent.map(\.id)).sorted()) { (try? filter.matches($0)) != false }
            }
        }
    }

    /// Whether the scope does not cover a record. A deletion is always taken in.
    func isOutside(_ remote: RemoteRecord) -> Bool {
        guard !remote.deleted, let filter = options.scope.filters[remote.record.schema.name] else { return false }
        return (try? filter.matches(remote.record)) == false
    }

    /// Another person or another scope: nothing that was asked for the former may come in any more.
    func rescope() {
        guard isRunning else { return }
        for id in pending.keys.sorted() {
            switch pending[id]?.what {
            case .pull?: break
            case .readable(let row)?: foreignFailed(id, row)
            case .push?, .verify?, .probe?, nil: continue
            }
            _ = takeRequest(id)
            perform(.cancelHTTP(id: id))
        }
        buffers.removeAll()
        echoes.forgetAnswers()
        reconciliations.removeAll()
        troubles.removeAll()
        silences.removeAll()
        pageSizes.removeAll()
        unfiltered.removeAll()
        startFrames.removeAll()
        run(pull.handle(.stop))
        checkScopes()
        status.isComplete = false
        run(pull.handle(.start))
        run(connection.handle(.reconnect))
    }

    /// Another process cleared the store: what was asked for to go on from what was here is void, and all is fetched.
    func followClearing() {
        guard isRunning else { return }
        var isCleared = false
        attempt {
            let now = try core.clearings()
            guard now != clearings else { return }
            try core.setDriverState(Self.beganKey, profile.began.map { String($0) })
            try core.setDriverState(Self.epochKey, epoch)
            clearings = now
            isCleared = true
            for model in receivedModels {
                try core.setMark(SyncMark(model: model.name, scope: scopeName(of: model), epoch: epoch))
            }
        }
        guard isCleared else { return }
        foreign.removeAll()
        unkeptForeign.removeAll()
        rescope()
    }

    /// Tells the store what the backend announced of its lives.
    func setLife(_ name: String) throws {
        let began = try profile.began ?? core.driverState(Self.beganKey).flatMap { Int64($0) }
        core.setLife(epoch: name, began: began, having: profile.earlierLives, since: profile.earlierBegins)
    }

    /// The backend's database is another than before (restored, or made anew): everything is fetched from the beginning.
    func newEpoch(_ name: String) {
        let isFirst = epoch == nil
        attempt {
            // A database made anew tells of no life before it; for who knew another it has lost all of that.
            let began = profile.began ?? (isFirst ? nil : profile.firstStamp)
            var values: [String: String?] = [Self.beganKey: began.map { String($0) }, Self.epochKey: name]
            var marks: [SyncMark] = []
            if !isFirst {
                values[Self.keepKey] = receivedModels.map(\.name).joined(separator: " ")
                marks = receivedModels.map { SyncMark(model: $0.name, scope: scopeName(of: $0), epoch: name) }
            }
            // At once: a store that knows the new life by name has all that follows from that, whenever it dies.
            try core.setDriverState(values, marks: marks)
            epoch = name
            try setLife(name)
        }
        guard !isFirst, epoch == name else { return }
        askAgainWhatAnotherLifeAnswered()
        tell(
            of: StoreProblem(
                .sync, .transient, cause: .otherBackend, message: "the backend's database is another than before",
                recovery: "everything is compared; what was made here and is lost there is sent again"))
        rescope()
    }
}
