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
        var expected: Value?
        var (hasDeleted, hasTakenBack) = (false, false)
        let done = device.write { transaction in
            (made, changed, expected, hasDeleted, hasTakenBack) = (nil, nil, nil, false, false)
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
                record["codes"] = code(value, in: record["codes"], takesOut: choice == 16, by: device)
                if choice == 16 { changed = nil }
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
        guard let changed else { return }
        if let expected { oracle.ledger.expects(expected, for: value) }
        oracle.acknowledgedWrite("Lot", id, changed, value, by: device)
    }

    /// A list with one's own code in it, or without one of them.
    private func code(_ value: Value, in list: Value, takesOut: Bool, by device: SimDevice) -> Value {
        var codes = SimSchema.elements(list)
        let own = codes.indices.filter { codes[$0].string?.hasPrefix(device.name + "/") ?? false }
        if takesOut {
            if let first = own.first { codes.remove(at: first) }
        } else if let text = value.text {
            codes.append(.string(text))
        }
        return .text(JSONValue.array(codes).canonical.text)
    }
}
