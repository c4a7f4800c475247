import AppSync
import Basics
import DataStore
import Models

/// Which models and rows are here: policies, scopes, persons and the backend's epochs.
extension SyncSession {
    func scopeName(of model: ModelSchema) -> String? {
        options.scope.name(of: model, reader: reader, groups: options.groups)
    }

    /// Whether a model is neither fetched nor heard: nobody is signed in, and its rows are somebody's.
    func isHeld(_ model: ModelSchema) -> Bool {
        options.person == nil && reader != nil && model.isReadByOwner(options.groups)
    }

    /// Those of the received models that are fetched and heard now.
    var fetchedModels: [ModelSchema] { receivedModels.filter { !isHeld($0) } }

    /// Takes note of who is signed in. Nobody takes nobody's place: what is here stays the last one's, who may come back
    /// without a link, until another is named.
    private func takeReader() {
        if reader == nil, options.person == nil {
            // A version before this one kept him with the marks only.
            attempt {
                guard let known = try readerOfMarks() else { return }
                reader = known
                try core.setDriverState(Self.readerKey, known)
            }
        }
        guard let person = options.person, person != reader else { return }
        reader = person
        attempt { try core.setDriverState(Self.readerKey, person) }
    }

    /// Whom the marks of models without a condition name.
    private func readerOfMarks() throws -> String? {
        let part = "person="
        for model in receivedModels {
            if let scope = try core.mark(of: model.name).scope, scope.hasPrefix(part), scope != part {
                return String(scope.dropFirst(part.count))
            }
        }
        return nil
    }

    /// Makes marks and rows fit who is signed in and what is kept: of what was fetched for another only what is this one's
    /// too stays, and what is unsent.
    func checkScopes() {
        takeReader()
        subscriptions = Subscription.all(of: fetchedModels)
        // Their numbers may be given anew.
        subscriptionModes.removeAll()
        for model in receivedModels {
            let scope = scopeName(of: model)
            attempt {
                let mark = try core.mark(of: model.name)
                guard mark.scope != scope else { return }
                var evicted = options.scope.filters[model.name].map { [PredicateNode.not($0)] } ?? []
                if model.readerPart(reader, options.groups) != nil {
                    evicted.append(.not(model.surelyRead(by: reader, at: options.device, options.groups)))
                }
                try core.evict(model: model.name, where: evicted.isEmpty ? .not(.all) : .or(evicted))
                try core.setMark(SyncMark(model: model.name, scope: scope, epoch: epoch))
            }
        }
        for model in core.schema.models where !core.options.policy(of: model).receives {
            attempt {
                let mark = try core.mark(of: model.name)
                let own = SyncMark(model: model.name, scope: model.readerPart(reader, options.groups))
                guard mark != own else { return }
                // Received until its policy changed: what the backend has goes, what is unsent stays. Else what was sent
                // from here for another goes.
                let wasReceived = mark != SyncMark(model: model.name, scope: mark.scope)
                let others = PredicateNode.not(model.surelyRead(by: reader, at: options.device, options.groups))
                if wasReceived || own.scope != nil {
                    try core.evict(model: model.name, where: wasReceived ? .all : others)
                }
                try core.setMark(own)
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
        receivedModels = orderedModels.filter { core.options.policy(of: $0).receives && endless[$0.name] == nil }
        tellOfEndlessModels()
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
                try core.letGo(model: name, ids: Set(sent.map { ByteText($0.id) }).map(\.text).sorted()) {
                    (try? filter.matches($0)) != false
                }
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
        taken.removeAll()
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
            try core.setDriverState(Self.readerKey, reader)
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
            var values: [(key: String, value: String?)] = [
                (Self.beganKey, began.map { String($0) }), (Self.epochKey, name),
            ]
            var marks: [SyncMark] = []
            if !isFirst {
                values.append((Self.keepKey, receivedModels.map(\.name).joined(separator: " ")))
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

    static let readerKey = "reader"
}
