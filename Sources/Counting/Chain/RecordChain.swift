import Basics
import Models
import WarehouseModels

/// A record that a device chains: entries, and a supervisor's decisions.
public protocol ChainedRecord: Model {
    /// The device whose chain it stands in.
    var deviceID: String { get }
    /// Its place in the chain, from 1, gapless per device.
    var sequence: Int { get }
    /// The hash of the record before it; empty on the first.
    var previousHash: String { get }
    /// The hash of this one.
    var hash: String { get }
    /// Fields that stand outside of the hash: those that others write or that only name readers.
    static var unhashedFields: Set<String> { get }
}

extension CountEntry: ChainedRecord {
    /// The readers, who may be named later, and the hub's stamps.
    public static let unhashedFields: Set<String> = ["hash", "crewIDs", "audience", "createdAt", "updatedAt"]
}

extension Decision: ChainedRecord {
    /// The desk's answer, and the hub's stamps.
    public static let unhashedFields: Set<String> = [
        "hash", "result", "resultText", "resultAt", "createdAt", "updatedAt",
    ]
}

/// What is wrong at one place of a chain.
public enum ChainFault: Sendable, Hashable {
    /// Records are missing before this one.
    case gap(missing: ClosedRange<Int>)
    /// Two records have the same place.
    case doubled
    /// It does not follow from the record before it.
    case wrongPrevious
    /// Its content is not what was hashed.
    case wrongHash
}

/// What a check of one device's chain found.
public struct ChainReport: Sendable, Hashable {
    /// How many records were checked.
    public let checked: Int
    /// The first record that does not fit, and why; nil where the chain holds.
    public let firstBroken: (id: String, fault: ChainFault)?

    /// Whether every record fits.
    public var isIntact: Bool { firstBroken == nil }

    /// Whether both say the same.
    public static func == (a: ChainReport, b: ChainReport) -> Bool {
        a.checked == b.checked && a.firstBroken?.id == b.firstBroken?.id && a.firstBroken?.fault == b.firstBroken?.fault
    }

    /// Feeds the hash.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(checked)
        hasher.combine(firstBroken?.id)
        hasher.combine(firstBroken?.fault)
    }
}

/// The hash chain of a device: no record can be changed, dropped or put between others without a trace.
public enum RecordChain {
    /// The text that is hashed: canonical JSON of the storage form of every field that the device wrote, the previous
    /// hash included, nulls left out.
    public static func canonicalText(of record: some ChainedRecord) -> String { json(of: record).text }

    /// The hash that belongs to a record; its own `hash` field is not looked at.
    public static func hash(of record: some ChainedRecord, sha256: SHA256Hex) -> String {
        sha256(json(of: record).bytes)
    }

    /// Checks records of one device in the order of their sequence.
    ///
    /// - Parameters:
    ///   - records: in any order; they must be of one device.
    ///   - previous: the sequence and the hash before the first of them; nil to begin with the first one given,
    ///     whatever its place.
    public static func verify<R: ChainedRecord>(
        _ records: some Sequence<R>, after previous: (sequence: Int, hash: String)? = (0, ""), sha256: SHA256Hex
    ) -> ChainReport {
        var last = previous
        var checked = 0
        for record in records.sorted(by: { ($0.sequence, $0.id) < ($1.sequence, $1.id) }) {
            if let fault = fault(in: record, after: last, sha256: sha256) {
                return ChainReport(checked: checked, firstBroken: (record.id, fault))
            }
            last = (record.sequence, record.hash)
            checked += 1
        }
        return ChainReport(checked: checked, firstBroken: nil)
    }

    private static func fault(
        in record: some ChainedRecord, after last: (sequence: Int, hash: String)?, sha256: SHA256Hex
    ) -> ChainFault? {
        if let last {
            if record.sequence <= last.sequence { return .doubled }
            if record.sequence > last.sequence + 1 { return .gap(missing: (last.sequence + 1)...(record.sequence - 1)) }
            if record.previousHash != last.hash { return .wrongPrevious }
        }
        return hash(of: record, sha256: sha256) == record.hash ? nil : .wrongHash
    }

    private static func json<R: ChainedRecord>(of record: R) -> JSONValue {
        let untyped = record.record
        var members: [(key: String, value: JSONValue)] = []
        for (field, value) in zip(R.schema.fields, untyped.values) where !R.unhashedFields.contains(field.name) {
            switch value {
            case .null: continue
            case .integer(let number): members.append((field.name, .integer(number)))
            case .real(let number): members.append((field.name, .number(number.description)))
            case .text(let text): members.append((field.name, .string(text)))
            }
        }
        return JSONValue.object(JSONObject(members)).canonical
    }
}
