import Assembly
import Basics
import DataStore
import System
import WarehouseModels

/// `bincount status`: what is in a store, and what waits in it.
enum StatusCommand {
    static let command = Program.Command(
        name: "status", summary: "what a store holds and what waits in it",
        help: """
            bincount status --data DIR [--json]

            The device's code, the records by model, what is unsent by person, what the hub refused, and rows that this
            version could not read. It may be used while the app runs.
            """,
        run: run)

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let data = try arguments.required("--data", "DIR")
        let asJSON = arguments.flag("--json")
        guard try arguments.rest().isEmpty else { throw UsageError("it takes only options") }
        let enrolment = try Enrolment.read(in: data)
        let hasStore = Files.exists(data + "/store.sqlite")
        guard hasStore || enrolment != nil else { throw CommandFailure("there is no store in \(data)") }
        let link = enrolment.map { enrolment -> JSONValue in
            .object([
                "url": .string(enrolment.url), "groups": .array(enrolment.groups.map { .string($0) }),
                "authority": enrolment.anchor.map { .string($0.fingerprint) } ?? .null,
            ])
        }
        let problem = enrolment == nil ? nil : try waitFor { await enrolment?.problem() }
        let report = try waitFor { () -> JSONValue in
            // A terminal that has enrolled and not been used: what is known of its hub matters the more.
            guard hasStore else {
                return .object([
                    "device": .string(enrolment?.device ?? ""), "hub": link ?? .null,
                    "hubProblem": problem.map { .string($0) } ?? .null, "records": .object([:]),
                    "unsent": .object([:]), "refused": 0, "unreadable": 0,
                ])
            }
            let device = try await DeviceStore.open(directory: data, kind: .terminal, hub: nil)
            defer { Task { await device.close() } }
            let quarantined = try await device.store.quarantined().count
            return try await device.store.read { tx in
                var models = JSONObject()
                for model in warehouse.models {
                    let count = try tx.count(model: model.name)
                    if count > 0 { models[model.name] = .integer(Int64(count)) }
                }
                var unsent = JSONObject()
                for (person, count) in try tx.unsentCounts() { unsent[person ?? "device"] = .integer(Int64(count)) }
                let outbox = try tx.outboxStatus()
                return .object([
                    "device": .string(device.deviceCode), "hub": link ?? .null,
                    "hubProblem": problem.map { .string($0) } ?? .null, "records": .object(models),
                    "unsent": .object(unsent),
                    "refused": .integer(Int64(outbox.parked)), "unreadable": .integer(Int64(quarantined)),
                ])
            }
        }
        if asJSON {
            print(report.text)
        } else {
            print("device \(report["device"]?.string ?? "")")
            if let enrolment {
                print("enrolled at \(enrolment.url)" + (enrolment.anchor.map { ", authority \($0.fingerprint)" } ?? ""))
                print(problem.map { "the hub cannot be used: \($0)" } ?? "the hub answers there")
            }
            for (name, value) in report["records"]?.object?.members ?? [] { print("  \(name)  \(value.text)") }
            let unsent = report["unsent"]?.object?.members ?? []
            print(unsent.isEmpty ? "nothing is unsent" : "unsent:")
            for (person, count) in unsent { print("  \(person)  \(count.text)") }
            print(
                "refused by the hub: \(report["refused"]?.text ?? "0")   unreadable: \(report["unreadable"]?.text ?? "0")"
            )
        }
        return 0
    }
}
