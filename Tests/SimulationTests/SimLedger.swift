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

    /// A value that goes with others or not at all.
    struct Part {
        let model: String
        let id: String
        let field: String
        var value: Value
        /// Whether its own device wrote something else over it, or deleted it: that may have taken its place in the unit.
        var isSuperseded = false
    }

    struct Unit {
        let device: String
        let step: Int
        var parts: [Part]
        /// Whether somebody took it back, or took it in again from a file.
        var isDecided = false
    }

    /// Transactions over several models, by name.
    private(set) var units: [String: Unit] = [:]
    /// The stamps of the commits by which a value came to the hub.
    private(set) var stamps: [Value: Set<Int64>] = [:]

    func dispatched(_ name: String, _ parts: [Part], by device: SimDevice, step: Int) {
        units[name] = Unit(device: device.name, step: step, parts: parts)
    }

    func committed(_ value: Value, at stamp: Int64) { stamps[value, default: []].insert(stamp) }

    /// A later word of the same device about a record, or about one field of it.
    func supersede(_ model: String, _ id: String, _ field: String?, by device: String) {
        change(device) { part in
            guard part.model == model, part.id == id, field == nil || part.field == field else { return }
            part.isSuperseded = true
        }
    }

    /// Another value goes in the place of one.
    func replace(_ old: Value, by new: Value, of device: String) {
        change(device) { if $0.value == old { $0.value = new } }
    }

    private func change(_ device: String, _ body: (inout Part) -> Void) {
        for (name, unit) in units where unit.device == device {
            var unit = unit
            for index in unit.parts.indices { body(&unit.parts[index]) }
            units[name] = unit
        }
    }

    /// What becomes of the unit that a value belongs to is somebody's decision.
    func decided(_ value: Value) {
        for (name, unit) in units where unit.parts.contains(where: { $0.value == value }) {
            units[name]?.isDecided = true
        }
    }

    /// What was taken back of amounts, by the name of the change that would have added them.
    struct TakenBack {
        let place: String
        let units: Int64
        /// Whether that change is known not to have arrived, and never to.
        let isCertain: Bool
    }

    private(set) var takenBack: [String: [TakenBack]] = [:]
    /// Records of which nobody can say any more what they should hold.
    private(set) var unknowable: Set<String> = []
    /// What the field `a` of a lot must hold for a value to come in.
    private(set) var conditions: [Value: Value] = [:]
    /// And for a lot to be deleted, by lot.
    private(set) var deleteConditions: [String: Set<Value>] = [:]

    func expects(_ expected: Value, for value: Value) { conditions[value] = expected }
    func expects(_ expected: Value, ofDeleted id: String) { deleteConditions[id, default: []].insert(expected) }

    func tookBack(_ units: Int64, of id: String, _ field: String, _ mutation: String, isCertain: Bool) {
        let amount = TakenBack(place: id + "." + field, units: units, isCertain: isCertain)
        takenBack[mutation, default: []].append(amount)
    }

    /// A change that may have arrived and was taken back waits again, under its name; false where it is another amount.
    func isBack(_ units: Int64, of id: String, _ field: String, _ mutation: String) -> Bool? {
        let place = id + "." + field
        let index = takenBack[mutation]?.lastIndex { $0.place == place && !$0.isCertain }
        return index.flatMap { takenBack[mutation]?.remove(at: $0).units == units }
    }

    func forget(_ id: String) { unknowable.insert(id) }

    /// A record was never made: what its maker added to it is gone with it.
    func unmade(_ id: String, by device: SimDevice) {
        for place in amounts.keys where place.hasPrefix(id + ".") {
            amounts[place]?.removeAll { $0.device == device.name }
        }
        marks[id] = marks[id]?.filter { $0.value.device != device.name }
    }

    func unmarked(_ mark: String, in id: String) { marks[id]?[mark] = nil }

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
