import Basics
import Models

@testable import DataStore

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
        unitsAreWhole()
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

    /// All of a transaction over several models came to the hub by one commit, or none did and all wait visibly.
    private func unitsAreWhole() {
        for (name, unit) in ledger.units {
            let parts = unit.parts.filter { !$0.isSuperseded }
            let stamps = parts.map { ledger.stamps[$0.value] ?? [] }
            let arrived = stamps.filter { !$0.isEmpty }.count
            if arrived == parts.count {
                guard let first = stamps.first, stamps.dropFirst().reduce(first, { $0.intersection($1) }).isEmpty else {
                    continue
                }
                oracle.fail("\(name) came to the hub in parts: \(stamps)")
            } else if arrived > 0 {
                oracle.fail("\(name): \(arrived) of \(parts.count) changes are at the hub: \(parts) \(stamps)")
            } else if !unit.isDecided, !oracle.wasGivenUp(unit.device, since: unit.step) {
                let waiting = parts.filter { isLeft(unit.device, $0.model, $0.id) }
                if waiting.count != parts.count {
                    oracle.fail("\(name): \(waiting.count) of \(parts.count) changes wait and none is at the hub")
                }
            }
        }
    }

    private func addsUp(_ place: String, _ amounts: [SimLedger.Amount]) {
        let parts = place.split(separator: ".").map(String.init)
        let (id, field) = (parts[0], parts[1])
        guard let record = oracle.hub["Shelf"]?[id], let position = SimSchema.model("Shelf").position(of: field),
            !ledger.unknowable.contains(id), !amounts.contains(where: { oracle.wasGivenUp($0.device, since: $0.step) })
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
        let taken = ledger.takenBack.values.joined().filter { $0.place == place }
        expected -= taken.filter(\.isCertain).reduce(0) { $0 + $1.units }
        // What may have arrived before it was taken back is there or not, each for itself.
        var possible: Set<Int64> = [expected]
        for amount in taken where !amount.isCertain { possible.formUnion(possible.map { $0 - amount.units }) }
        let found = record.values[position].integer ?? 0
        if !possible.contains(found) { oracle.fail("\(place) is \(found) at the hub, \(possible) was added") }
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
