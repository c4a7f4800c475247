import Basics
import Models

/// A file to import: its name and its bytes.
package struct ImportFile: Sendable {
    /// The path as given, for messages.
    package let path: String
    /// The content.
    package let bytes: [UInt8]

    package init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }

    var name: String { path.split(separator: "/").last.map(String.init) ?? path }
}

/// A line that was not taken, and why.
package struct RejectedLine: Sendable, Hashable, CustomStringConvertible {
    /// The file's path as given.
    package let file: String
    /// The line, from 1.
    package let line: Int
    /// Where the value comes from, as the mapping says it, or the field's name.
    package let column: String
    /// The value.
    package let value: String
    /// What is wrong with it.
    package let reason: String

    /// `file:line: column "value": reason`.
    package var description: String { printable("\(file):\(line): \(column) \"\(value)\": \(reason)") }
}

/// What an import needs from outside: naming, hashing, and what the store already holds.
package struct ImportEnvironment {
    /// The id of a record from its model and its natural key.
    package var makeID: (_ model: String, _ key: [String]) -> String
    /// SHA-256 in hexadecimal.
    package var sha256: ([UInt8]) -> String
    /// Check digits for bins in walking order.
    package var checkDigits: (_ codes: [String]) -> [String]
    /// Whether the store already holds a record.
    package var exists: (_ model: String, _ id: String) -> Bool

    package init(
        makeID: @escaping (String, [String]) -> String, sha256: @escaping ([UInt8]) -> String,
        checkDigits: @escaping ([String]) -> [String], exists: @escaping (String, String) -> Bool
    ) {
        self.makeID = makeID
        self.sha256 = sha256
        self.checkDigits = checkDigits
        self.exists = exists
    }
}

/// What an import would do, decided without touching the store.
package struct ImportPlan: Sendable {
    /// A record to be, with the fields that are made rather than read: they never change an existing record.
    package struct Candidate: Sendable {
        /// The record.
        package var record: Record
        /// Positions of made fields.
        package let made: Set<Int>
        let file: String
        let line: Int
    }

    /// The records in an order in which what is referred to comes first.
    package private(set) var candidates: [Candidate] = []
    /// The lines that were not taken.
    package private(set) var rejected: [RejectedLine] = []
    /// How many data lines each file has.
    package private(set) var linesRead: [(file: String, lines: Int)] = []

    /// Takes files apart by their mappings; the order of either never matters.
    ///
    /// - Throws: ``ImportError`` where a file is no text or no mapping serves it, or mappings refer in a circle.
    package init(
        files: [ImportFile], mappings: [ImportMapping], schema: Schema, environment: ImportEnvironment
    ) throws(ImportError) {
        var jobs: [ImportJob] = []
        for file in files {
            let serving = mappings.filter { $0.serves(file.name) }
            guard !serving.isEmpty else {
                throw ImportError(
                    file: file.path,
                    message: "no mapping serves this file; give one with --mapping, its @file line naming \(file.name)")
            }
            var lines = 0
            for mapping in serving {
                let text = try DelimitedText(file.bytes, file: file.path, format: mapping.format)
                lines = max(lines, text.rows.count)
                let context = ImportFileContext(
                    file: file.path, text: text, sha256: environment.sha256(file.bytes), records: mapping.records)
                for record in mapping.records { jobs.append(ImportJob(context: context, record: record)) }
            }
            linesRead.append((file.path, lines))
        }
        var builder = ImportPlanBuilder(schema: schema, environment: environment)
        for job in try ImportPlan.inReferenceOrder(jobs) { builder.run(job) }
        builder.makeCheckDigits()
        candidates = builder.candidates
        rejected = builder.rejected.sorted { ($0.file, $0.line, $0.column) < ($1.file, $1.line, $1.column) }
    }

    /// How many records of each model it has, in the order of work.
    package var counts: [(model: String, count: Int)] {
        candidates.reduce(into: []) { counts, candidate in
            let name = candidate.record.schema.name
            if let index = counts.firstIndex(where: { $0.model == name }) {
                counts[index].count += 1
            } else {
                counts.append((name, 1))
            }
        }
    }

    /// The plan without the records of some models.
    package func leavingOut(_ models: Set<String>) -> ImportPlan {
        var plan = self
        plan.candidates.removeAll { models.contains($0.record.schema.name) }
        return plan
    }

    /// Sorts the jobs so that every model comes after the models it refers to.
    private static func inReferenceOrder(_ jobs: [ImportJob]) throws(ImportError) -> [ImportJob] {
        var waiting = Array(jobs.indices)
        var result: [ImportJob] = []
        while !waiting.isEmpty {
            let open = Set(waiting.map { jobs[$0].record.model.name })
            let ready = waiting.filter { index in
                let record = jobs[index].record
                return record.referencedModels.subtracting([record.model.name]).isDisjoint(with: open)
            }
            guard !ready.isEmpty else {
                throw ImportError(
                    file: jobs[waiting[0]].context.file,
                    message: "the mappings refer to each other in a circle: \(open.sorted().joined(separator: ", "))")
            }
            result += ready.map { jobs[$0] }
            waiting.removeAll { ready.contains($0) }
        }
        return result
    }
}

/// One file seen through one mapping, with the ranks and extremes its sources need.
struct ImportFileContext: Sendable {
    let file: String
    let text: DelimitedText
    let sha256: String
    private var ranks: [[Int]: [[String]: Int]] = [:]
    private var newest: [Int: String] = [:]

    init(file: String, text: DelimitedText, sha256: String, records: [RecordMapping]) {
        self.file = file
        self.text = text
        self.sha256 = sha256
        for source in records.flatMap({ $0.fields.map(\.expression.source) }) {
            if case .order(let columns) = source, ranks[columns] == nil { ranks[columns] = rank(columns) }
            if case .newest(let column) = source, newest[column] == nil {
                newest[column] =
                    text.rows.compactMap { $0.column(column).flatMap { DateTime(iso8601: $0) } }.max()?.iso8601
            }
        }
    }

    private func rank(_ columns: [Int]) -> [[String]: Int] {
        let keys = Set(text.rows.map { row in columns.map { row.column($0) ?? "" } })
        let sorted = keys.sorted { a, b in
            for (x, y) in zip(a, b) where x != y { return naturallyPrecedes(x, y) }
            return false
        }
        return Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($1, $0 + 1) })
    }

    func rank(of row: DelimitedRow, _ columns: [Int]) -> Int {
        ranks[columns]?[columns.map { row.column($0) ?? "" }] ?? 0
    }

    func newest(_ column: Int) -> String? { newest[column] }
}

struct ImportJob: Sendable {
    let context: ImportFileContext
    let record: RecordMapping
}

extension DelimitedRow {
    /// A column by its number from 1, nil where the line is shorter.
    func column(_ number: Int) -> String? { number <= columns.count ? columns[number - 1] : nil }
}

extension RecordMapping {
    var referencedModels: Set<String> {
        var names: Set<String> = []
        for field in fields { if case .reference(let model, _) = field.expression.source { names.insert(model) } }
        return names
    }
}
