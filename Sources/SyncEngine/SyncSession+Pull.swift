import AppSync
import Basics
import DataStore
import Models

extension SyncSession {
    func run(_ actions: [PullMachine.Action]) {
        for action in actions {
            switch action {
            case .request(let name): request(name)
            case .finished(let name): finished(name)
            case .roundFinished:
                lastRoundAt = uptime
                status.isComplete = true
                status.progress = nil
                perform(.event(.ready))
                askForForeign()
            case .startRound: startRound()
            case .setDeadline(let wait): deadlines.set(.pull, at: wait.map { uptime + $0 })
            case .pause(let reason):
                perform(.event(.authenticationNeeded(identity: options.person, detail: reason)))
            }
        }
        if var progress = status.progress {
            progress.modelsDone = max(progress.modelsTotal - pull.pendingCount, 0)
            status.progress = progress
        }
    }

    func startRound() {
        let names = receivedModels.map(\.name)
        guard !names.isEmpty else { return }
        status.deniedModels.removeAll()
        round += 1
        pull.interval = polled.isEmpty ? options.resyncInterval : min(options.resyncInterval, Self.pollInterval)
        status.progress = SyncStatus.Progress(modelsDone: 0, modelsTotal: names.count, rows: 0)
        perform(.event(.syncStarted(models: names)))
        run(pull.handle(.round(names)))
    }

    /// Fetches one model again, beside what is being fetched.
    func fetchAgain(_ model: String) {
        guard !pull.queue.contains(model) else { return }
        run(pull.handle(.round(pull.queue + [model])))
    }

    private func request(_ name: String) {
        guard let model = core.schema.model(name) else { return }
        var mark: SyncMark?
        guard attempt({ mark = try core.mark(of: name) }), let mark else {
            // Counts as asked and failed, so that it is tried again.
            let id = newRequest(.pull(model: model, mark: SyncMark(model: name)))
            run(pull.handle(.requested(request: id, model: name)))
            _ = takeRequest(id)
            run(pull.handle(.failed(request: id, retryAfter: nil)))
            return
        }
        let id = send(model, mark)
        run(pull.handle(.requested(request: id, model: name)))
    }

    private func send(_ model: ModelSchema, _ mark: SyncMark) -> Int {
        if mark.nextToken == nil { runs[model.name] = round }
        let filter = options.scope.filters[model.name].flatMap { try? $0.syncFilterInput(for: model) }
        let body = requests.sync(
            model, filter: filter, limit: options.pageSize, nextToken: mark.nextToken, lastSync: mark.lastSync)
        let id = newRequest(.pull(model: model, mark: mark))
        perform(.http(id: id, body: body, person: options.person))
        return id
    }

    func pullAnswered(_ id: Int, _ model: ModelSchema, _ mark: SyncMark, _ answer: HTTPAnswer) {
        switch answer.kind {
        case .unauthorized(let reason):
            run(pull.handle(.unauthorized(request: id, reason: reason)))
            return
        case .overloaded:
            run(pull.handle(.failed(request: id, retryAfter: answer.retryAfter)))
            return
        case .malformed(let reason):
            skip(id, model, mark, ResponseError(reason))
            return
        case .graphQL: break
        }
        guard let (page, tail) = try? answers.page(answer.body, of: model) else {
            run(pull.handle(.failed(request: id, retryAfter: nil)))
            return
        }
        let epochBefore = epoch
        learn(tail)
        // A page of another life of the backend does not go on from this mark.
        guard epoch == epochBefore || epochBefore == nil else { return }
        run(outbox.handle(.linkUp))
        guard page.isPresent else {
            skip(id, model, mark, tail.errors.first ?? ResponseError("the answer holds no page"))
            return
        }
        apply(page, id, model, mark)
    }

    private func apply(_ page: SyncPage, _ id: Int, _ model: ModelSchema, _ mark: SyncMark) {
        var next = mark
        next.epoch = epoch
        next.startedAt = mark.startedAt ?? page.startedAt
        next.nextToken = page.nextToken
        var following: Int?
        if page.nextToken != nil {
            // Asked for before this one is applied: the backend works meanwhile.
            following = send(model, next)
        } else {
            if mark.lastSync == nil { next.lastFullSync = next.startedAt }
            next.lastSync = next.startedAt ?? mark.lastSync
            next.startedAt = nil
        }
        let items = page.items.map { RemoteRecord($0) }
        let unreadable = page.quarantined.map { UnreadableRecord($0) }
        let isApplied = attempt {
            try core.applyPage(model: model.name, items: items, unreadable: unreadable, mark: next)
        }
        guard isApplied else {
            if let following {
                _ = takeRequest(following)
                perform(.cancelHTTP(id: following))
            }
            run(pull.handle(.failed(request: id, retryAfter: nil)))
            return
        }
        quarantined(unreadable)
        status.progress?.rows += items.count
        if !items.isEmpty { perform(.event(.modelProgress(model: model.name, rows: items.count))) }
        if let following {
            run(pull.handle(.handedOver(from: id, to: following)))
        } else {
            let isFull = mark.lastSync == nil
            perform(.event(.modelSynced(model: model.name, isFullSync: isFull, rows: items.count)))
            // A run whose first page is older than this round ends at a mark older than the subscriptions: what changed
            // between the two is in neither.
            if runs[model.name] != round { fetchAgain(model.name) }
            run(pull.handle(.page(request: id, isLast: true)))
        }
    }

    /// The backend gives no page: a worn-out token begins anew, a denied model is left out, another error is told.
    private func skip(_ id: Int, _ model: ModelSchema, _ mark: SyncMark, _ error: ResponseError) {
        if ErrorType.isAuthorization(error.errorType) {
            status.deniedModels.insert(model.name)
            buffers[model.name] = nil
            run(pull.handle(.skipped(request: id)))
        } else if mark.nextToken != nil {
            var anew = mark
            anew.nextToken = nil
            anew.startedAt = nil
            if attempt({ try core.setMark(anew) }) {
                run(pull.handle(.page(request: id, isLast: false)))
            } else {
                run(pull.handle(.failed(request: id, retryAfter: nil)))
            }
        } else {
            perform(.event(.failure("\(model.name) cannot be fetched: \(error)")))
            buffers[model.name] = nil
            run(pull.handle(.skipped(request: id)))
        }
    }

    /// A model is complete: what came meanwhile is applied on top.
    private func finished(_ name: String) {
        guard let buffer = buffers.removeValue(forKey: name) else { return }
        if buffer.hasOverflown {
            fetchAgain(name)
        } else {
            apply(buffer.records, unreadable: [])
        }
    }

    // MARK: Scopes and epochs

    private func scopeName(of model: ModelSchema) -> String? {
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
    }

    /// Another person or another scope: nothing that was asked for the former may come in any more.
    func rescope() {
        guard isRunning else { return }
        for id in pending.keys.sorted() {
            switch pending[id]?.what {
            case .pull?: break
            case .readable(let row)?: askedForeign.remove(row)
            case .push?, .verify?, .probe?, nil: continue
            }
            _ = takeRequest(id)
            perform(.cancelHTTP(id: id))
        }
        buffers.removeAll()
        echoes.forgetAnswers()
        unfiltered.removeAll()
        startFrames.removeAll()
        run(pull.handle(.stop))
        checkScopes()
        status.isComplete = false
        run(pull.handle(.start))
        run(connection.handle(.reconnect))
    }

    /// The backend's database is another than before (restored, or made anew): everything is fetched from the beginning.
    func newEpoch(_ name: String) {
        let isFirst = epoch == nil
        attempt {
            try core.setDriverState(Self.epochKey, name)
            epoch = name
            guard !isFirst else { return }
            for model in receivedModels {
                let scope = scopeName(of: model)
                try core.setMark(SyncMark(model: model.name, scope: scope, epoch: name))
            }
        }
        guard !isFirst, epoch == name else { return }
        perform(.event(.failure("the backend's database is another than before; everything is fetched again")))
        rescope()
    }

    func quarantined(_ rows: [UnreadableRecord]) {
        status.quarantined += rows.count
        for row in rows { perform(.event(.quarantined(row))) }
    }

    private static let pollInterval: Int64 = 30_000
}
