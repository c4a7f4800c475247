import AppSync
import Basics
import SQLite

extension HubCore {
    /// Carries out all runs in one transaction; nil is the answer of one that waits for a function. What cannot be
    /// committed is answered with a retryable error.
    func commit(_ runs: inout [MutationRun]) -> (answers: [HubAnswer?], events: [CommittedChange]) {
        let before = statistics
        // What a failed pass has noted in the runs does not count.
        func undo() {
            statistics = before
            runs = runs.map { $0.ticket == 0 ? MutationRun($0.request) : suspended[$0.ticket] ?? $0 }
        }
        do {
            return try transaction(&runs, isolated: false)
        } catch {
            undo()
            if (error as? SQLiteError)?.isEnvironmental ?? false { return failed(runs, error) }
            // Something about one mutation: run each in a savepoint of its own, so that the others stand.
            log(.warning, "a commit failed and is tried mutation by mutation: \(error)\(runs.named)")
        }
        do {
            return try transaction(&runs, isolated: true)
        } catch {
            undo()
            return failed(runs, error)
        }
    }

    private func transaction(
        _ runs: inout [MutationRun], isolated: Bool
    ) throws -> (answers: [HubAnswer?], events: [CommittedChange]) {
        pending.removeAll(keepingCapacity: true)
        asking.removeAll()
        deliveriesWritten = 0
        stamp = state.nextStamp()
        try connection.begin(.immediate)
        var answers: [HubAnswer?] = []
        answers.reserveCapacity(runs.count)
        do {
            for index in runs.indices { answers.append(try answer(&runs[index], isolated: isolated)) }
            try saveDeliveries()
            if !pending.isEmpty { try state.save(stamp: stamp, on: connection) }
        } catch {
            connection.rollback()
            throw error
        }
        try connection.commit()
        // One that wrote nothing says nothing of the disk.
        if !pending.isEmpty || deliveriesWritten > 0 { noteWritten() }
        if !pending.isEmpty { state.committed(stamp: stamp) }
        deliveriesSaved()
        statistics.commits += 1
        return (answers, pending)
    }

    private func failed(_ runs: [MutationRun], _ error: any Error) -> (answers: [HubAnswer?], events: [CommittedChange])
    {
        statistics.failures += 1
        noteUnwritten(error)
        let answer: HubAnswer
        if let failure = error as? SQLiteError, failure.isFull {
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
        log(.error, "a commit failed: \(error)\(runs.named)")
        return (Array(repeating: answer, count: runs.count), [])
    }

    /// Something was written whole.
    private func noteWritten() {
        statistics.isDiskFull = false
        statistics.isUnwritable = false
    }

    /// Something could not be written; nothing is noted where what was to be written is at fault.
    private func noteUnwritten(_ error: any Error) {
        guard let failure = error as? SQLiteError, failure.isEnvironmental else { return }
        statistics.isDiskFull = failure.isFull
        statistics.isUnwritable = true
    }

    /// Forgets a little of what has outlived the horizon; called now and then. While commits fail for the disk's sake it
    /// writes the clock, so that the hub knows when they would not any more, though nobody changes anything.
    ///
    /// - Parameter limit: how much of each table goes at once.
    /// - Returns: whether there may be more to forget.
    /// - Throws: `SQLiteError`; nothing is half done then.
    @discardableResult
    public func prune(limit: Int = 1000) throws -> Bool {
        do {
            return try forget(limit)
        } catch {
            noteUnwritten(error)
            throw error
        }
    }

    private func forget(_ limit: Int) throws -> Bool {
        var forgotten = Forgotten(through: state.prunedThrough)
        try connection.begin(.immediate)
        do {
            for count in try state.prune(limit: limit, on: connection) { forgotten.add(count, of: limit) }
            let departures = try state.pruneDepartures(limit: limit, on: connection)
            forgotten.add(departures.count, of: limit, through: departures.through)
            for table in tables {
                let stamps = try purge(table, limit)
                forgotten.add(stamps.count, of: limit, through: stamps.max() ?? 0)
            }
            guard forgotten.count > 0 || state.isSaveDue || statistics.isUnwritable else {
                // Nothing to write, and so nothing to wait for the disk for.
                connection.rollback()
                return false
            }
            try state.save(stamp: state.stamp, prunedThrough: forgotten.through, on: connection)
        } catch {
            connection.rollback()
            throw error
        }
        try connection.commit()
        noteWritten()
        state.committed(stamp: state.stamp, prunedThrough: forgotten.through)
        return forgotten.isMore
    }

    /// What one step of forgetting has taken away.
    private struct Forgotten {
        /// The highest stamp before which deltas are not whole any more.
        var through: Int64
        var count = 0
        /// Whether a limit was reached.
        var isMore = false

        mutating func add(_ count: Int, of limit: Int, through: Int64 = 0) {
            self.count += count
            self.through = max(self.through, through)
            if count >= limit { isMore = true }
        }
    }

    /// Takes expired tombstones away; gives their stamps.
    private func purge(_ table: BaseTable, _ limit: Int) throws -> [Int64] {
        var rows: [(row: Int64, stamp: Int64, key: String, version: Int64)] = []
        try connection.withStatement(table.expiredText) { statement in
            statement.bind(state.hubTime, at: 1)
            statement.bind(limit, at: 2)
            while try statement.step() {
                rows.append(
                    (
                        statement.integer(at: 0), statement.integer(at: 1), statement.text(at: 2),
                        statement.integer(at: 3)
                    ))
            }
        }
        for (row, _, key, version) in rows {
            try state.bury(key, version: version, of: table.model, on: connection)
            try connection.withStatement(table.purgeText) { statement in
                statement.bind(row, at: 1)
                _ = try statement.step()
            }
        }
        return rows.map(\.stamp)
    }
}

extension RowEncoder {
    /// Ends `{"data":{…`: the brace, the errors, the extensions.
    consuming func finished(_ extensions: [UInt8]) -> HubAnswer {
        writer.raw("}")
        if !errors.isEmpty {
            writer.raw(",\"errors\":")
            writer.value(errors.json)
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
