import Basics
import DataStore
import Models

/// What an import did, or would do.
package struct ImportReport: Sendable, Hashable {
    /// What happened to one model's records.
    package struct Counts: Sendable, Hashable {
        package var created = 0
        package var changed = 0
        package var unchanged = 0
    }

    /// The counts by model, in the order of work.
    package var models: [(name: String, counts: Counts)] = []
    /// The files with their data lines.
    package var files: [(name: String, lines: Int)] = []
    /// The lines that were not taken.
    package var rejected: [RejectedLine] = []
    /// Records that stay in the store and are never sent, by model.
    package var unsent: [(name: String, count: Int)] = []
    /// Records that the store must not hold and that were left out, by model.
    package var leftOut: [(name: String, count: Int)] = []

    /// Records written.
    package var changes: Int { models.reduce(0) { $0 + $1.counts.created + $1.counts.changed } }

    package static func == (a: ImportReport, b: ImportReport) -> Bool {
        a.models.elementsEqual(b.models, by: ==) && a.files.elementsEqual(b.files, by: ==) && a.rejected == b.rejected
            && a.unsent.elementsEqual(b.unsent, by: ==) && a.leftOut.elementsEqual(b.leftOut, by: ==)
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(changes) }

    /// The report in JSON, for programs.
    package var json: JSONValue {
        .object([
            "changes": .integer(Int64(changes)),
            "files": .array(files.map { ["file": .string($0.name), "lines": .integer(Int64($0.lines))] }),
            "models": .array(
                models.map { name, counts in
                    [
                        "model": .string(name), "created": .integer(Int64(counts.created)),
                        "changed": .integer(Int64(counts.changed)), "unchanged": .integer(Int64(counts.unchanged)),
                    ]
                }),
            "rejected": .array(
                rejected.map {
                    [
                        "file": .string($0.file), "line": .integer(Int64($0.line)), "column": .string($0.column),
                        "value": .string($0.value), "reason": .string($0.reason),
                    ]
                }),
            "unsent": .object(JSONObject(unsent.map { (key: $0.name, value: .integer(Int64($0.count))) })),
            "leftOut": .object(JSONObject(leftOut.map { (key: $0.name, value: .integer(Int64($0.count))) })),
        ])
    }
}

extension ImportPlan {
    /// Compares a part of the plan with the store and, unless it is a dry run, saves what differs.
    ///
    /// Made fields (check digits) and fields that the mapping does not feed keep what the store has.
    ///
    /// - Returns: per record whether it was created, changed or left alone, in order.
    package func apply(
        _ range: Range<Int>, in transaction: StoreTransaction, dryRun: Bool
    ) throws -> [Outcome] {
        var outcomes: [Outcome] = []
        for candidate in candidates[range] {
            var record = candidate.record
            guard let existing = try transaction.get(model: record.schema.name, id: record.id) else {
                if !dryRun { try transaction.save(record) }
                outcomes.append(.created)
                continue
            }
            for (position, field) in record.schema.fields.enumerated()
            where field.isReadOnly || candidate.made.contains(position) || record.values[position].isNull {
                record.values[position] = existing.values[position]
            }
            if record.values == existing.values {
                outcomes.append(.unchanged)
            } else {
                if !dryRun { try transaction.save(record) }
                outcomes.append(.changed)
            }
        }
        return outcomes
    }

    /// What happens to one record.
    package enum Outcome: Sendable, Hashable {
        case created, changed, unchanged
    }

    /// Applies the whole plan to a store, some hundreds of records to a transaction.
    ///
    /// Interrupted, it can simply be run again: what is there already is unchanged then.
    ///
    /// - Parameter progress: called after each transaction with the records done so far and in all.
    package func run(
        on store: DataStore, dryRun: Bool, progress: @Sendable (Int, Int) -> Void
    ) async throws -> ImportReport {
        var report = ImportReport()
        report.files = linesRead.map { (name: $0.file, lines: $0.lines) }
        report.rejected = rejected
        var start = 0
        while start < candidates.count {
            let range = start..<min(start + 500, candidates.count)
            let outcomes =
                dryRun
                ? try await store.read { try self.apply(range, in: $0, dryRun: true) }
                : try await store.transaction { try self.apply(range, in: $0, dryRun: false) }
            for (offset, outcome) in outcomes.enumerated() {
                report.add(outcome, to: candidates[range.lowerBound + offset].record.schema.name)
            }
            start = range.upperBound
            progress(start, candidates.count)
        }
        return report
    }
}

extension ImportReport {
    mutating func add(_ outcome: ImportPlan.Outcome, to model: String) {
        let index: Int
        if let found = models.firstIndex(where: { $0.name == model }) {
            index = found
        } else {
            models.append((name: model, counts: Counts()))
            index = models.count - 1
        }
        switch outcome {
        case .created: models[index].counts.created += 1
        case .changed: models[index].counts.changed += 1
        case .unchanged: models[index].counts.unchanged += 1
        }
    }
}
