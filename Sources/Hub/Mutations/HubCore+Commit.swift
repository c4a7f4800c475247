import AppSync
import Basics
import SQLite

extension HubCore {
    /// Runs all requests in one transaction; what cannot be committed is answered with a retryable error.
    func commit(_ requests: [RunnableRequest]) -> (answers: [HubAnswer], events: [CommittedChange]) {
        let before = statistics
        do {
            return try transaction(requests, isolated: false)
        } catch {
            statistics = before
            if (error as? SQLiteError)?.isEnvironmental ?? false { return failed(requests, error) }
            // Something about one mutation: run each in a savepoint of its own, so that the others stand.
            log(.warning, "a commit failed and is tried mutation by mutation: \(error)")
        }
        do {
            return try transaction(requests, isolated: true)
        } catch {
            statistics = before
            return failed(requests, error)
        }
    }

    private func transaction(
        _ requests: [RunnableRequest], isolated: Bool
    ) throws -> (answers: [HubAnswer], events: [CommittedChange]) {
        pending.removeAll(keepingCapacity: true)
        stamp = state.nextStamp()
        try connection.begin(.immediate)
        var answers: [HubAnswer] = []
        answers.reserveCapacity(requests.count)
        do {
            for request in requests { answers.append(try answer(request, isolated: isolated)) }
            if !pending.isEmpty { try state.save(stamp: stamp, on: connection) }
        } catch {
            connection.rollback()
            throw error
        }
        try connection.commit()
        if !pending.isEmpty { state.committed(stamp: stamp) }
        statistics.commits += 1
        statistics.isDiskFull = false
        return (answers, pending)
    }

    private func failed(_ requests: [RunnableRequest], _ error: any Error) -> (
        answers: [HubAnswer], events: [CommittedChange]
    ) {
        statistics.failures += 1
        let answer: HubAnswer
        if let failure = error as? SQLiteError, failure.isFull {
            statistics.isDiskFull = true
            answer = .error(
                507, ErrorType.internalFailure,
                "The hub's disk is full; nothing of this request was stored. Try again later.")
        } else if let failure = error as? SQLiteError, failure.isBusy {
            answer = .error(
                503, ErrorType.internalFailure, "The hub's database is busy; nothing was stored. Try again.")
        } else {
            answer = .error(
                500, ErrorType.internalFailure, "The hub could not store this request; nothing of it was kept.")
        }
        log(.error, "a commit failed: \(error)")
        return (Array(repeating: answer, count: requests.count), [])
    }

    /// Answers one request of mutations, in order, within the open transaction.
    private func answer(_ request: RunnableRequest, isolated: Bool) throws -> HubAnswer {
        let roots = request.operation.roots(request.variables.json)
        guard roots.count <= Self.batchLimit else {
            return RequestFailure.invalid([
                ResponseError(
                    "A request holds at most \(Self.batchLimit) mutations, not \(roots.count).",
                    errorType: ErrorType.limitExceeded)
            ]).answer(extensions: extensions)
        }
        var encoder = RowEncoder(engine.schema, capacity: 256 + 768 * roots.count)
        encoder.writer.raw("{\"data\":{")
        var unitOutcomes: [String: Result<HubRow, ResponseError>] = [:]
        for (index, field) in roots.enumerated() {
            if index > 0 { encoder.writer.raw(",") }
            encoder.writer.bytes.append(contentsOf: field.keyBytes)
            guard case .root(let root) = field.definition.source, let selection = field.selection else {
                encoder.writer.string("Mutation")
                continue
            }
            if let unit = request.units[field.key], unitOutcomes[field.key] == nil {
                let members = roots.filter { request.units[$0.key] == unit }
                unitOutcomes.merge(try self.unitOutcomes(of: members, request, isolated: isolated)) { $1 }
            }
            let outcome =
                try unitOutcomes[field.key]
                ?? (isolated ? isolatedOutcome(root, field, request) : mutate(root, field, request))
            switch outcome {
            case .success(let row):
                let (shown, hidden) = shown(row, root, request.rights)
                encoder.encode(
                    shown, selection, engine.schema.models[root.model],
                    selection.hasRelations ? reader.resolver(request) : nil, hidden: hidden
                ) { [.field(field.key)] }
            case .failure(let error):
                statistics.refused += 1
                encoder.errors.append(error)
                encoder.writer.raw("null")
            }
        }
        return encoder.finished(extensions)
    }

    private func isolatedOutcome(
        _ root: RootField, _ field: SelectedField, _ request: RunnableRequest
    ) throws -> Result<HubRow, ResponseError> {
        let count = pending.count
        do {
            return try connection.savepoint { try mutate(root, field, request) }
        } catch let error as SQLiteError where !error.isEnvironmental {
            pending.removeLast(pending.count - count)
            log(.error, "\(root.name) failed: \(error)")
            return .failure(
                ResponseError(
                    "The hub could not store this mutation.", errorType: ErrorType.internalFailure,
                    path: [.field(field.key)], locations: [field.location]))
        }
    }

    /// Forgets a little of what has outlived the horizon; called now and then, when nothing else waits.
    ///
    /// - Throws: `SQLiteError`; nothing is half done then.
    public func prune(limit: Int = 1000) throws {
        let before = state.prunedThrough
        var pruned = before
        var count = 0
        try connection.begin(.immediate)
        do {
            count = try state.prune(limit: limit, on: connection)
            pruned = max(pruned, try state.pruneDepartures(limit: limit, on: connection))
            for table in tables { pruned = max(pruned, try purge(table, limit)) }
            guard count > 0 || pruned > before || state.isSaveDue else {
                // Nothing to write, and so nothing to wait for the disk for.
                connection.rollback()
                return
            }
            try state.save(stamp: state.stamp, prunedThrough: pruned, on: connection)
        } catch {
            connection.rollback()
            throw error
        }
        try connection.commit()
        state.committed(stamp: state.stamp, prunedThrough: pruned)
    }

    private func purge(_ table: BaseTable, _ limit: Int) throws -> Int64 {
        var rows: [(row: Int64, stamp: Int64)] = []
        try connection.withStatement(table.expiredText) { statement in
            statement.bind(state.hubTime, at: 1)
            statement.bind(limit, at: 2)
            while try statement.step() { rows.append((statement.integer(at: 0), statement.integer(at: 1))) }
        }
        for (row, _) in rows {
            try connection.withStatement(table.purgeText) { statement in
                statement.bind(row, at: 1)
                _ = try statement.step()
            }
        }
        return rows.map(\.stamp).max() ?? 0
    }
}

extension RowEncoder {
    /// Ends `{"data":{…`: the brace, the errors, the extensions.
    consuming func finished(_ extensions: [UInt8]) -> HubAnswer {
        writer.raw("}")
        if !errors.isEmpty {
            writer.raw(",\"errors\":")
            writer.value(.array(errors.map(\.json)))
        }
        writer.bytes.append(contentsOf: extensions)
        return HubAnswer(status: 200, body: writer.bytes)
    }
}

extension SQLiteError {
    /// Whether the disk or the file is at fault, and not what was asked for.
    var isEnvironmental: Bool {
        isFull || isBusy || isCorrupt || isInputOutput || isReadOnly || isCannotOpen || isInterrupted
    }
}
