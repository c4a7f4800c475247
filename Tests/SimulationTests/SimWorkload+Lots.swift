import Basics
import Models

@testable import DataStore

/// A lot in a program's own type, as conditions need it.
struct SimLot: Model {
    static let schema = SimSchema.model("Lot")
    let values: [Value]

    init(_ record: Record) { values = record.values }

    init(from decoder: inout some FieldDecoder) throws(FieldError) {
        var values: [Value] = []
        for _ in Self.schema.fields { values.append(decoder.decode()) }
        self.values = values
    }

    var id: String { values[0].text ?? "" }

    func encode(into encoder: inout some FieldEncoder) {
        for value in values { encoder.encode(value) }
    }
}

/// What is changed only if nobody was faster, lists that many write on, and fields of few values.
extension SimWorkload {
    /// Claims, changes, marks, grades or removes a lot.
    func changeLot(_ device: SimDevice, _ number: Int) {
        let id = "Lot-\(world.below(5))"
        let value = Value.text("\(device.name)/lot\(number)")
        let choice = world.below(20)
        let field = world.pick(SimSchema.sharedFields)
        let grade: Value = world.pick([.text("GOOD"), .text("FAIR"), .text("POOR"), .null])
        var made: Record?
        var changed: String?
        var (expected, removed): (Value?, Value?)
        var (hasDeleted, hasTakenBack) = (false, false)
        let done = device.write { transaction in
            (made, changed, hasDeleted, hasTakenBack) = (nil, nil, false, false)
            (expected, removed) = (nil, nil)
            guard var record = try transaction.get(model: "Lot", id: id) else {
                guard !oracle.forgotten.contains("Lot/" + id) else { return }
                let record = SimSchema.record("Lot", ["id": .text(id), "a": value, "grade": grade])
                try transaction.save(record)
                made = record
                return
            }
            let old = record["a"]
            let condition = Predicate<SimLot>(.field("a", old.isNull ? .exists(false) : .equal(old)))
            switch choice {
            case 0..<9:
                // Claimed, if it is still as it was seen.
                (changed, expected) = (choice < 5 ? "a" : field, old)
                record[changed ?? ""] = value
                try transaction.save(SimLot(record), where: condition)
            case 9..<12:
                changed = field
                record[field] = value
                try transaction.save(record)
            case 12..<17:
                changed = "codes"
                if choice == 16 { (changed, removed) = (nil, ownCode(in: record["codes"], device)) }
                record["codes"] = list(record["codes"], adding: choice == 16 ? nil : value, removing: removed)
                try transaction.save(record)
            case 17, 18:
                record["grade"] = grade
                try transaction.save(record)
            default:
                // Only so are lots removed.
                expected = old
                try transaction.delete(SimLot(record), where: condition)
                hasDeleted = true
                hasTakenBack = try device.core.entries("Lot", id).isEmpty
            }
        }
        guard done else { return }
        if let made { return oracle.acknowledgedCreate(made, by: device) }
        if hasDeleted {
            if let expected { oracle.ledger.expects(expected, ofDeleted: id) }
            return oracle.acknowledgedDelete("Lot", id, isTakenBack: hasTakenBack, by: device)
        }
        // A code of his own that he takes out again need not arrive.
        if let removed { oracle.acknowledgedClear("Lot", id, "codes", holding: removed, by: device) }
        guard let changed else { return }
        if let expected { oracle.ledger.expects(expected, for: value) }
        oracle.acknowledgedWrite("Lot", id, changed, value, by: device)
    }

    private func ownCode(in list: Value, _ device: SimDevice) -> Value? {
        SimSchema.elements(list).compactMap(\.string).first { $0.hasPrefix(device.name + "/") }.map { .text($0) }
    }

    private func list(_ old: Value, adding new: Value?, removing removed: Value?) -> Value {
        var codes = SimSchema.elements(old)
        if let text = removed?.text { codes.removeAll { $0 == .string(text) } }
        if let text = new?.text { codes.append(.string(text)) }
        return .text(JSONValue.array(codes).canonical.text)
    }
}
