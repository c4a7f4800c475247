import Assembly
import Basics
import Counting
import Crypto
import DataStore
import Models
import System
import WarehouseModels

/// `bincount verify`: the hash chains of a store, for an auditor.
enum VerifyCommand {
    static let command = Program.Command(
        name: "verify", summary: "check the hash chains of counts and decisions",
        help: """
            bincount verify --data DIR [--json]

            Goes through every device's entries and decisions in order and recomputes each hash. The first record of a
            device that was changed, dropped or put in between is named. A terminal holds only its own chain whole;
            verify a supervisor's or the desk's store for all. Exit 1 when a chain is broken.
            """,
        run: run)

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let data = try arguments.required("--data", "DIR")
        let asJSON = arguments.flag("--json")
        guard try arguments.rest().isEmpty else { throw UsageError("it takes only options") }
        guard Files.exists(data + "/store.sqlite") else { throw CommandFailure("there is no store in \(data)") }
        let chains = try waitFor { () -> [(kind: String, device: String, report: ChainReport)] in
            let device = try await DeviceStore.open(directory: data, kind: .terminal, hub: nil)
            defer { Task { await device.close() } }
            return try await device.store.read { tx in
                try reports(of: CountEntry.self, in: tx) { $0.deviceID }
                    + reports(of: Decision.self, in: tx) { $0.deviceID }
            }
        }
        if asJSON {
            print(
                JSONValue.array(
                    chains.map {
                        [
                            "kind": .string($0.kind), "device": .string($0.device),
                            "checked": .integer(Int64($0.report.checked)), "intact": .bool($0.report.isIntact),
                            "firstBroken": $0.report.firstBroken.map { .string($0.id) } ?? .null,
                        ]
                    }
                ).text)
        } else {
            for chain in chains {
                let end = chain.report.firstBroken.map { "BROKEN at \($0.id): \($0.fault)" } ?? "intact"
                print("\(chain.kind) of \(chain.device): \(chain.report.checked) checked, \(end)")
            }
            if chains.isEmpty { print("there are no chains in this store") }
        }
        return chains.allSatisfy(\.report.isIntact) ? 0 : 1
    }

    private static func reports<R: ChainedRecord>(
        of type: R.Type, in tx: StoreTransaction, device: (R) -> String
    ) throws -> [(kind: String, device: String, report: ChainReport)] {
        Dictionary(grouping: try tx.query(type), by: device).sorted { $0.key < $1.key }.map { code, records in
            (R.schema.name, code, RecordChain.verify(records, sha256: { SHA256.hexDigest($0) }))
        }
    }
}
