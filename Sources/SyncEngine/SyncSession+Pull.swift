import AppSync
import Basics
import DataStore
import Models

extension SyncSession {
    func run(_ actions: [PullMachine.Action]) {
        for action in actions {
            switch action {
            case .request(let name): request(name)
            case .finished(let name):
                finished(name)
                countFetched(name)
            case .roundFinished:
                lastRoundAt = uptime
                status.isComplete = true
                status.progress = nil
                tellOfCompleteness()
                askForForeign()
            case .startRound: startRound()
            case .setDeadline(let wait): deadlines.set(.pull, at: wait.map { uptime + $0 })
            case .pause(let reason):
                tellOfPause(.sync, reason)
            }
        }
        if var progress = status.progress {
            progress.modelsDone = max(progress.modelsTotal - pull.pendingCount, 0)
            status.progress = progress
        }
    }

    func startRound() {
        let names = fetchedModels.map(\.name)
        status.deniedModels.removeAll()
        status.unfetchedModels = Set(receivedModels.map(\.name)).subtracting(names)
        guard !names.isEmpty else {
            status.isComplete = true
            return tellOfCompleteness()
        }
        round += 1
        pull.interval = polled.isEmpty ? options.resyncInterval : min(options.resyncInterval, Self.pollInterval)
        var progress = SyncStatus.Progress(modelsDone: 0, modelsTotal: names.count, rows: 0)
        progress.startedAt = uptime
        status.progress = progress
        perform(.event(.syncQueriesStarted(models: names)))
        run(pull.handle(.round(names)))
    }

    /// Fetches one model again, beside what is being fetched.
    func fetchAgain(_ model: String) {
        guard !pull.queue.contains(model) else { return }
        run(pull.handle(.round(pull.queue + [model])))
    }

    private func request(_ name: String) {
        guard let model = core.schema.model(name) else { return }
        do throws(FilterError) {
            if try options.scope.selection(of: model) == .nothing { return keepsNothing(model) }
        } catch {
            tell(of: .scope(model.name, error))
            return passOver(model)
        }
        var mark: SyncMark?
        let isReadable =
            fetchHindrance == nil
            && attempt {
                var known = try core.mark(of: name)
                try prepareReconciliation(model, &known)
                try countTaken(model, known)
                mark = known
            }
        guard isReadable, let mark else {
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

    /// The scope keeps no record of a model: it is complete without a request.
    private func keepsNothing(_ model: ModelSchema) {
        let id = newRequest(.pull(model: model, mark: SyncMark(model: model.name)))
        run(pull.handle(.requested(request: id, model: model.name)))
        _ = takeRequest(id)
        // Whoever follows this process, or opens the store later, sees by the mark that nothing is missing.
        let isKept = attempt {
            var mark = try core.mark(of: model.name)
            guard mark.lastFullSync == nil else { return }
            mark.lastFullSync = 0
            try core.setMark(mark)
        }
        guard isKept else { return run(pull.handle(.failed(request: id, retryAfter: nil))) }
        perform(.event(.modelSynced(model: model.name, isFullSync: false, ModelCounts())))
        run(pull.handle(.page(request: id, isLast: true)))
    }

    /// Nobody can say which of a model's records are wanted: none is asked for, instead of all.
    private func passOver(_ model: ModelSchema) {
        let id = newRequest(.pull(model: model, mark: SyncMark(model: model.name)))
        run(pull.handle(.requested(request: id, model: model.name)))
        _ = takeRequest(id)
        buffers[model.name] = nil
        countUnfetched(model.name)
        run(pull.handle(.skipped(request: id)))
    }

    func send(_ model: ModelSchema, _ mark: SyncMark) -> Int {
        let reconciliation = reconciliations[model.name]
        // What is fetched after a comparison is as old as that.
        if mark.nextToken == nil, reconciliation?.isFetching != true { runs[model.name] = round }
        let filter = (try? options.scope.selection(of: model))?.filter
        let size = pageSizes[model.name] ?? options.pageSize
        let body = requests.sync(
            model, filter: filter, limit: room(model, mark).map { min(size, max($0, 1)) } ?? size,
            nextToken: mark.nextToken,
            lastSync: mark.lastSync,
            digest: reconciliation?.request,
            asksLeft: filter != nil && mark.lastSync != nil && profile.tellsLeft)
        let id = newRequest(.pull(model: model, mark: mark))
        let modes = authModes(model, .sync)
        // Another provider may know the same person under another name.
        perform(.http(id: id, body: body, person: options.person, modes: modes, personal: modes.isEmpty))
        return id
    }

    func pullAnswered(_ id: Int, _ model: ModelSchema, _ mark: SyncMark, _ answer: HTTPAnswer, sentAt: Int64) {
        switch answer.kind {
        case .unauthorized(let reason):
            run(pull.handle(.unauthorized(request: id, reason: reason)))
            return
        case .overloaded(let reason):
            pullFailed(
                id, model, reason, retryAfter: answer.retryAfter, sentAt: sentAt,
                isTooMuch: [408, 504].contains(answer.status))
            return
        case .malformed(let reason):
            skip(id, model, mark, ResponseError(reason))
            return
        case .graphQL: break
        }
        guard let (page, tail) = try? answers.page(answer.body, of: model) else {
            pullFailed(
                id, model, "the answer is no GraphQL", retryAfter: nil, sentAt: sentAt, isTooMuch: false)
            return
        }
        silences[model.name] = nil
        let epochBefore = epoch
        learn(tail)
        // A page of another life of the backend does not go on from this mark.
        guard epoch == epochBefore || epochBefore == nil else { return }
        if let life = profile.epoch, life != epoch {
            // The store could not take note of that life yet.
            return run(pull.handle(.failed(request: id, retryAfter: nil)))
        }
        run(outbox.handle(.linkUp))
        guard page.isPresent else {
            skip(id, model, mark, tail.errors.first ?? ResponseError("the answer holds no page"))
            return
        }
        if areRightsOther(tail, model, mark) { return rightsChanged(id, model) }
        if reconciliations[model.name]?.isComparing == true { return compared(page, tail, id, model, mark) }
        if isGap(page, tail, model, mark) { return gapFound(id, model, mark) }
        if let rows = tail.bincount?[WireExtension.rows]?[requests.name(.sync, of: model)]?.integer {
            status.progress?.expectedRows[model.name] = Int(rows)
        }
        apply(page, tail, id, model, mark)
    }

    func apply(_ page: SyncPage, _ tail: AnswerTail, _ id: Int, _ model: ModelSchema, _ mark: SyncMark) {
        var next = mark
        next.epoch = epoch
        next.startedAt = mark.startedAt ?? page.startedAt
        let takenBefore = taken[model.name]
        taken[model.name]? += page.items.count { !$0.isDeleted }
        let isTruncated = page.nextToken != nil && room(model, mark).map { $0 <= 0 } ?? false
        next.nextToken = isTruncated ? nil : page.nextToken
        var following: Int?
        if next.nextToken != nil {
            // Asked for before this one is applied: the backend works meanwhile.
            following = send(model, next)
        } else {
            if let reconciled = reconciliations[model.name]?.startedAt { next.startedAt = reconciled }
            if mark.lastSync == nil { next.lastFullSync = next.startedAt }
            // A backend that nothing was ever written to begins at 0, which it takes for *from the beginning* later on: the
            // next fetch is one that finds what it has no more.
            next.lastSync = next.startedAt.flatMap { $0 > 0 ? $0 : nil } ?? mark.lastSync
            next.startedAt = nil
        }
        let items = page.items.map { RemoteRecord($0) }
        let left =
            tail.bincount?[WireExtension.left]?[requests.name(.sync, of: model)]?.array?.compactMap(\.string) ?? []
        let unreadable = page.quarantined.map { UnreadableRecord($0) }
        var report = ApplyReport()
        let isFirst = mark.nextToken == nil && reconciliations[model.name]?.isFetching != true
        let isApplied = attempt {
            if following == nil, mark.lastSync == nil { try noteTruncation(model, isTruncated: isTruncated) }
            if var reconciliation = reconciliations[model.name] {
                for item in items { reconciliation.seen.insert(RecordDigest.hash(item.record.id)) }
                for row in unreadable {
                    if row.id.isEmpty { reconciliation.isBlind = true }
                    reconciliation.seen.insert(RecordDigest.hash(row.id))
                }
                if reconciliation.startedAt == nil { reconciliation.startedAt = next.startedAt ?? next.lastSync }
                reconciliations[model.name] = reconciliation
                // A part of it is no place to go on from after a restart.
                let isPart = following != nil && reconciliation.isFetching
                report = try core.applyPage(
                    model: model.name, items: items, unreadable: unreadable,
                    mark: isPart || following == nil ? nil : next, clearings: clearings)
                guard following == nil, !report.isVoid else { return }
                report.deleted += try sweep(model, reconciliation, isTruncated: isTruncated)
                try core.setMark(next)
                reconciliations[model.name] = nil
            } else {
                report = try core.applyPage(
                    model: model.name, items: items, left: left,
                    leftUpTo: mark.startedAt ?? page.startedAt ?? .max, unreadable: unreadable, mark: next,
                    clearings: clearings)
            }
        }
        guard isApplied else {
            taken[model.name] = takenBefore
            if let following {
                _ = takeRequest(following)
                perform(.cancelHTTP(id: following))
            }
            run(pull.handle(.failed(request: id, retryAfter: nil)))
            return
        }
        if report.isVoid { return followClearing() }
        // Only our hub's pages are known to have everything up to their stamp.
        if following == nil, mark.lastSync == nil, !isTruncated, profile.epoch != nil, let stamp = next.lastSync {
            buffers[model.name]?.drop(changedUpTo: stamp)
        }
        quarantined(unreadable)
        status.progress?.rows += items.count
        status.progress?.estimate(now: uptime)
        countReceived(model.name, items.count)
        countApplied(model.name, report, rows: items.count, isFirst: isFirst)
        if let following {
            run(pull.handle(.handedOver(from: id, to: following)))
        } else {
            troubles[model.name] = nil
            pageSizes[model.name] = nil
            let isFull = mark.lastSync == nil
            let counts = modelCounts.removeValue(forKey: model.name) ?? ModelCounts()
            if isFull { tellOfLimit(model, isTruncated: isTruncated) }
            perform(.event(.modelSynced(model: model.name, isFullSync: isFull, counts)))
            // A run whose first page is older than this round ends at a mark older than the subscriptions: what changed
            // between the two is in neither.
            if runs[model.name] != round { fetchAgain(model.name) }
            run(pull.handle(.page(request: id, isLast: true)))
        }
    }

    /// The backend gives no page: a denied model is left out, another error is told.
    private func skip(_ id: Int, _ model: ModelSchema, _ mark: SyncMark, _ error: ResponseError) {
        if ErrorType.isAuthorization(error.errorType) {
            buffers[model.name] = nil
            reconciliations[model.name] = nil
            troubles[model.name] = nil
            revoke(model)
            countDenied(model.name)
            run(pull.handle(.skipped(request: id)))
        } else if mark.nextToken != nil {
            laterPageFailed(id, model, mark, error)
        } else {
            giveUp(id, model, error)
        }
    }

    /// A model is complete: what came meanwhile is applied on top.
    private func finished(_ name: String) {
        guard let buffer = buffers.removeValue(forKey: name) else { return }
        if buffer.hasOverflown {
            fetchAgain(name)
        } else {
            // What was heard before the backend was restored, and before this session knew of it: what the backend still
            // has of that came with the pages.
            apply(buffer.records.filter { !core.isOfEarlierLife($0.lastChangedAt) }, unreadable: [])
        }
    }

    func quarantined(_ rows: [UnreadableRecord]) {
        status.quarantined += rows.count
        for row in rows { perform(.event(.quarantined(row))) }
    }

    private static let pollInterval: Int64 = 30_000
}
