import Basics
import Models

@testable import DataStore

/// What was done in transactions that go as one and by operations, kept to be added up at the end.
final class SimLedger {
    struct Move {
        let device: String
        let step: Int
        let legs: [String]
    }

    struct Amount {
        let device: String
        let units: Int64
        let step: Int
    }

    /// Who wrote a value of a shared field; each value is written once.
    private(set) var authors: [Value: String?] = [:]
    /// Moves by name.
    private(set) var moves: [String: Move] = [:]
    /// What was added to counters, by record and field.
    private(set) var amounts: [String: [Amount]] = [:]
    /// Each mark's last fate, by record and mark.
    private(set) var marks: [String: [String: (device: String, isThere: Bool, step: Int)]] = [:]

    func wrote(_ value: Value, as person: String?) { authors[value] = person }

    /// What a request carries that its sender never wrote: two people's work is not mixed.
    func foreignValue(in body: JSONValue, of person: String?) -> Value? {
        for input in body["variables"]?.object?.members ?? [] {
            for field in SimSchema.sharedFields {
                guard let text = input.value[field]?.string, let author = authors[.text(text)], author != person else {
                    continue
                }
                return .text(text)
            }
        }
        return nil
    }

    func moved(_ name: String, _ legs: [String], by device: SimDevice, step: Int) {
        moves[name] = Move(device: device.name, step: step, legs: legs)
    }

    func added(_ units: Int64, to id: String, _ field: String, by device: SimDevice, step: Int) {
        amounts[id + "." + field, default: []].append(Amount(device: device.name, units: units, step: step))
    }

    func marked(_ mark: String, in id: String, isThere: Bool, by device: SimDevice, step: Int) {
        marks[id, default: [:]][mark] = (device.name, isThere, step)
    }
}

/// Everything that must add up about units and operations.
struct SimSums {
    let oracle: SimOracle
    let devices: [SimDevice]
    private let ledger: SimLedger
    /// Entries that are left, by device: behind a person's decision.
    private let left: [String: [OutboxEntry]]

    init(_ oracle: SimOracle, _ devices: [SimDevice]) throws {
        self.oracle = oracle
        self.devices = devices
        ledger = oracle.ledger
        var left: [String: [OutboxEntry]] = [:]
        for device in devices { left[device.name] = try device.core.read { try $0.outbox() } }
        self.left = left
    }

    func run() {
        movesAreWhole()
        for (place, amounts) in ledger.amounts { addsUp(place, amounts) }
        for (id, marks) in ledger.marks { marksHold(id, marks) }
    }

    private func isLeft(_ device: String, _ model: String, _ id: String) -> Bool {
        left[device, default: []].contains { $0.model == model && $0.id == id }
    }

    /// All legs of a move are at the hub since one moment, or none is and all wait visibly.
    private func movesAreWhole() {
        for (name, move) in ledger.moves {
            let there = move.legs.filter { oracle.hub["Leg"]?[$0]?.values[1] == .text(name) }
            if there.isEmpty {
                if oracle.wasGivenUp(move.device, since: move.step) { continue }
                let waiting = move.legs.filter { isLeft(move.device, "Leg", $0) }
                if waiting.count != move.legs.count {
                    oracle.fail("\(name): \(waiting.count) of \(move.legs.count) legs wait and none is at the hub")
                }
            } else {
                if there.count != move.legs.count {
                    oracle.fail("\(name): \(there.count) of \(move.legs.count) legs are at the hub")
                }
                if Set(there.map { oracle.hub["Leg"]?[$0]?.lastChangedAt ?? 0 }).count > 1 {
                    oracle.fail("\(name) came to the hub in parts")
                }
            }
        }
    }

    private func addsUp(_ place: String, _ amounts: [SimLedger.Amount]) {
        let parts = place.split(separator: ".").map(String.init)
        let (id, field) = (parts[0], parts[1])
        guard let record = oracle.hub["Shelf"]?[id], let position = SimSchema.model("Shelf").position(of: field),
            !amounts.contains(where: { oracle.wasGivenUp($0.device, since: $0.step) })
        else { return }
        var expected = amounts.reduce(0) { $0 + $1.units }
        for device in devices {
            for entry in left[device.name, default: []] where entry.model == "Shelf" && entry.id == id {
                let value = entry.fields[field] ?? .null
                if case .increment(let amount)? = FieldOperation(value) {
                    expected -= SimSchema.units(amount, field)
                } else if entry.kind == .create {
                    // Made anew by a store that was cleared, and refused: what was added to it since is in its create.
                    expected -= SimSchema.units(value, field)
                }
            }
        }
        let found = record.values[position].integer ?? 0
        if found != expected { oracle.fail("\(place) is \(found) at the hub, \(expected) was added") }
    }

    private func marksHold(_ id: String, _ marks: [String: (device: String, isThere: Bool, step: Int)]) {
        guard let record = oracle.hub["Shelf"]?[id], let position = SimSchema.model("Shelf").position(of: "marks")
        else {
            return
        }
        let elements = (try? JSONValue(parsing: record.values[position].text ?? "[]"))?.array ?? []
        if Set(elements).count != elements.count { oracle.fail("\(id) holds a mark twice: \(elements)") }
        for (mark, fate) in marks {
            if oracle.wasGivenUp(fate.device, since: fate.step) || isLeft(fate.device, "Shelf", id) { continue }
            if elements.contains(.string(mark)) != fate.isThere {
                oracle.fail("\(mark) is \(fate.isThere ? "not " : "")in \(id) at the hub")
            }
        }
    }
}
