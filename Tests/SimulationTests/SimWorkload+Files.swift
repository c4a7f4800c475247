import Basics
import Models

@testable import DataStore

/// What is written to a file of what waits, and taken in again: into the same store, later, or into one that was cleared.
extension SimWorkload {
    /// Writes all that waits to a file, or takes such a file in again, whatever became of its entries since.
    func exportOrImport(_ device: SimDevice) {
        guard device.isUp else { return }
        guard let lines = device.kept, !lines.isEmpty, world.chance(700) else {
            device.kept = try? device.core.read { try $0.exportedLines() }
            return
        }
        var new: [OutboxEntry] = []
        let done = device.write { transaction in
            let before = Set(try transaction.outbox().map(\.order))
            let count = try transaction.importOutbox(lines)
            new = try transaction.outbox().filter { !before.contains($0.order) }
            if new.count != count { oracle.fail("\(device.name) took in \(new.count) entries and says \(count)") }
        }
        if done { oracle.brought(new, by: device) }
    }

    /// Takes in what a store had not sent when it was cleared: all of it waits again, but for creates of what is here by
    /// now or was deleted since.
    func takeIn(_ device: SimDevice) {
        guard device.isUp, let lines = device.file else { return }
        var left: [OutboxEntry] = []
        let done = device.write { transaction in
            left = []
            var missing: [(line: String, mutation: String, isAllowed: Bool)] = []
            for line in lines {
                guard let object = try? JSONValue(parsing: line), let mutation = object["mutation"]?.string else {
                    return oracle.fail("\(device.name) exported \(line)")
                }
                let (model, id) = (object["model"]?.string ?? "", object["id"]?.string ?? "")
                let isHere = try transaction.get(model: model, id: id) != nil
                let isGone = try transaction.explain(model: model, id: id).deletedVersion != nil
                let isAllowed = object["kind"] == "create" && (isHere || isGone) && object["unit"]?.isNull != false
                missing.append((line, mutation, isAllowed))
            }
            try transaction.importOutbox(lines)
            let waiting = Set(try transaction.outbox().map(\.mutationID))
            for line in missing where !waiting.contains(line.mutation) {
                guard line.isAllowed, let entry = OutboxEntry(exported: line.line) else {
                    oracle.fail("\(device.name) did not take in \(line.line)")
                    continue
                }
                left.append(entry)
            }
        }
        guard done else { return }
        device.file = nil
        // The result says so, and what is here or was deleted stands.
        for entry in left { oracle.leftOut(entry, by: device) }
    }
}

extension StoreTransaction {
    /// All that waits, as the public export writes it: in parts.
    func exportedLines() throws -> [String] {
        var result: [String] = []
        var after = Int64.min
        while case let part = try exportOutbox(after: after, limit: 3), let last = part.last {
            result += part.lines
            after = last
        }
        return result
    }
}

extension OutboxEntry {
    /// What an exported line says of a create.
    fileprivate init?(exported line: String) {
        guard let object = try? JSONValue(parsing: line), let mutation = object["mutation"]?.string,
            let model = object["model"]?.string, let id = object["id"]?.string
        else { return nil }
        self.init(
            order: 0, mutationID: mutation, model: model, id: id, kind: .create,
            fieldsJSON: (object["fields"] ?? .null).text, baseVersion: nil, baseJSON: "{}",
            identity: object["identity"]?.string, createdAt: DateTime(milliseconds: 0),
            // It may have been sent before the store was cleared.
            attempts: 1, rounds: 0, state: .sealed, reason: nil, condition: nil, lastTriedAt: nil)
    }
}
