import Assembly
import Basics
import DataStore
import Glibc
import System
import WarehouseModels

/// `bincount outbox`: what a terminal has not yet got rid of, and what can be done about it.
enum OutboxCommand {
    static let command = Program.Command(
        name: "outbox", summary: "see and mend what was not sent",
        help: """
            bincount outbox list   --data DIR [--parked] [--json]   every entry: number, state, person, model, id, why
            bincount outbox show   --data DIR NUMBER [--json]       one entry, field by field: base, sent, here, there
            bincount outbox retry  --data DIR NUMBER|all            let a refused entry, or all of them, be sent again
            bincount outbox edit   --data DIR NUMBER FIELD=JSON…    send other values (never for create-only models)
            bincount outbox revert --data DIR NUMBER [--whole]      take a change back (never for create-only models);
                                                                    --whole: with all that goes as one with it
            bincount outbox export --data DIR FILE                  copy all entries to a file, one JSON line each
            bincount outbox import --data DIR FILE                  take exported entries in; known ones are left alone
            bincount outbox explain --data DIR MODEL ID             why a record is here, missing, waiting or refused

            It may be used while the app runs on the same directory. Nothing here ever deletes a count.
            """,
        run: run)

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let data = try arguments.required("--data", "DIR")
        let parkedOnly = arguments.flag("--parked")
        let asJSON = arguments.flag("--json")
        let isWhole = arguments.flag("--whole")
        let words = try arguments.rest()
        guard let act = words.first else {
            throw UsageError("say what to do: list, show, retry, edit, revert, export, import or explain")
        }
        guard Files.exists(data + "/store.sqlite") else { throw CommandFailure("there is no store in \(data)") }
        return try waitFor {
            let device = try await DeviceStore.open(directory: data, kind: .terminal, hub: nil)
            defer { Task { await device.close() } }
            return try await perform(act, Array(words.dropFirst()), device.store, parkedOnly, asJSON, isWhole)
        }
    }

    private static func perform(
        _ act: String, _ words: [String], _ store: DataStore, _ parkedOnly: Bool, _ asJSON: Bool, _ isWhole: Bool
    ) async throws -> Int32 {
        let outbox = store.outbox
        switch act {
        case "list":
            guard words.isEmpty else { throw UsageError("list takes only options") }
            var after = Int64.min
            while case let entries = try await outbox.list(state: parkedOnly ? .parked : nil, after: after),
                !entries.isEmpty
            {
                for entry in entries { print(asJSON ? json(of: entry).text : line(of: entry)) }
                after = entries.last?.order ?? after
            }
            if after == .min, !asJSON { print(parkedOnly ? "nothing is parked" : "nothing waits: all was sent") }
        case "show":
            let (entry, differences) = try await outbox.show(try number(words))
            if asJSON {
                var object = json(of: entry)
                if case .object(var members) = object {
                    members["fields"] = .array(
                        differences.map {
                            [
                                "field": .string($0.field), "base": $0.base ?? .null, "sent": $0.sent ?? .null,
                                "here": $0.local ?? .null, "there": $0.remote ?? .null,
                            ]
                        })
                    object = .object(members)
                }
                print(object.text)
            } else {
                print(line(of: entry))
                for difference in differences {
                    func text(_ value: JSONValue?) -> String { printable(value?.text ?? "-") }
                    print(
                        "  \(difference.field): base \(text(difference.base)), sent \(text(difference.sent)), "
                            + "here \(text(difference.local)), there \(text(difference.remote))")
                }
                for other in try await outbox.unit(of: entry.order) where other.order != entry.order {
                    print("  goes as one with \(line(of: other))")
                }
                for held in try await outbox.dependants(of: entry.order) { print("  holds \(line(of: held))") }
            }
        case "retry" where words == ["all"]: print("\(try await outbox.retryAll()) entries will be sent again")
        case "retry": try await outbox.retry(try number(words))
        case "explain":
            guard words.count == 2 else { throw UsageError("explain needs MODEL ID") }
            let explanation = try await store.explain(model: words[0], id: words[1])
            if asJSON {
                print(JSONValue.array(explanation.lines.map { .string($0) }).text)
            } else {
                for line in explanation.lines { print(printable(line)) }
            }
        case "revert":
            do {
                let gone = try await outbox.revert(try number(words), wholeUnit: isWhole)
                if gone.count > 1 { print("taken back: \(gone.map(String.init).joined(separator: ", "))") }
            } catch let error as StoreError {
                guard case .partOfUnit = error else { throw error }
                throw CommandFailure("\(error) (--whole takes the whole of it back)")
            }
        case "edit":
            var fields = JSONObject()
            for word in words.dropFirst() {
                let parts = word.split(separator: "=", maxSplits: 1)
                guard parts.count == 2, let value = try? JSONValue(parsing: String(parts[1])) else {
                    throw UsageError("\(word) is not FIELD=JSON; a text needs its quotes: name='\"Ann\"'")
                }
                fields[String(parts[0])] = value
            }
            guard !fields.isEmpty else { throw UsageError("edit needs FIELD=JSON") }
            try await outbox.edit(try number(words), fields: fields)
        case "export":
            guard words.count == 1 else { throw UsageError("export needs one FILE") }
            try await store.exportOutbox(to: words[0])
        case "import":
            guard words.count == 1 else { throw UsageError("import needs one FILE") }
            let taken = try await outbox.importFile(words[0])
            print("\(taken.new) of \(taken.all) entries were new")
            if taken.deleted > 0 {
                print("\(taken.deleted) would make records again that were deleted since, and were left out")
            }
        default:
            throw UsageError(
                "there is no `outbox \(act)`; say list, show, retry, edit, revert, export, import or explain")
        }
        return 0
    }

    private static func number(_ words: [String]) throws -> Int64 {
        guard let word = words.first, let number = Int64(word) else {
            throw UsageError("name an entry by the number that `outbox list` shows")
        }
        return number
    }

    private static func line(of entry: OutboxEntry) -> String {
        let reason = entry.reason.map { ": \($0)" } ?? ""
        return printable(
            "\(entry.order)  \(entry.state.name)  \(entry.identity ?? "-")  \(entry.kind.name) \(entry.model) \(entry.id)"
                + "  tried \(entry.attempts)\(reason)")
    }

    private static func json(of entry: OutboxEntry) -> JSONValue {
        .object([
            "number": .integer(entry.order), "state": .string(entry.state.name),
            "person": entry.identity.map { .string($0) } ?? .null, "kind": .string(entry.kind.name),
            "model": .string(entry.model), "id": .string(entry.id), "mutationID": .string(entry.mutationID),
            "createdAt": .string(entry.createdAt.iso8601), "attempts": .integer(Int64(entry.attempts)),
            "reason": entry.reason.map { .string($0) } ?? .null, "sent": .object(entry.fields),
        ])
    }
}
