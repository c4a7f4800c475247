import Assembly
import Basics
import Counting
import Crypto
import DataStore
import Hub
import Models
import System
import WarehouseModels

/// `bincount verify`: whether a database is whole, and the hash chains of a store, for an auditor.
enum VerifyCommand {
    static let command = Program.Command(
        name: "verify", summary: "check a store's or a hub's database, and the hash chains in it",
        help: """
            bincount verify --data DIR [--schema FILE] [--json]

            DIR is a hub's or a store's. Looks at every page and index, at versions and stamps, at what waits to be sent
            and at what is kept of answered changes; it may run while they are in use. In a store it then goes through
            every device's entries and decisions in order and recomputes each hash: the first record of a device that
            was changed, dropped or put in between is named. A terminal holds only its own chain whole; verify a
            supervisor's or the desk's store for all. Exit 1 when something is wrong.
            """,
        run: run)

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let data = try arguments.required("--data", "DIR")
        let schemaFile = try arguments.value("--schema", "FILE")
        let asJSON = arguments.flag("--json")
        guard try arguments.rest().isEmpty else { throw UsageError("it takes only options") }
        let isStore = Files.exists(data + "/store.sqlite")
        let isHub = Files.exists(HubBackup.database(in: data))
        guard isStore || isHub else { throw CommandFailure("there is no store and no hub in \(data)") }
        var findings: [VerifyFinding] = []
        if isHub {
            let schema = try HubCheck.served(
                in: data, startedWith: try schemaFile.map(HubServeCommand.schema) ?? warehouse,
                text: try HubServeCommand.schemaText(schemaFile))
            findings += try HubVerify.run(data, schema: schema)
        }
        var chains: [Chain] = []
        if isStore {
            findings += try StoreVerify.run(data, schema: warehouse)
            // Damage would keep the store from being opened at all.
            if !findings.contains(where: \.isFault) { chains = try self.chains(data) }
        }
        if asJSON { printJSON(findings, chains) } else { printText(findings, chains, isStore: isStore) }
        let isWhole = !findings.contains(where: \.isFault) && chains.allSatisfy(\.report.isIntact)
        return isWhole ? 0 : 1
    }

    private typealias Chain = (kind: String, device: String, report: ChainReport)

    private static func chains(_ data: String) throws -> [Chain] {
        try waitFor { () -> [Chain] in
            let device = try await DeviceStore.open(directory: data, kind: .terminal, hub: nil)
            defer { Task { await device.close() } }
            return try await device.store.read { tx in
                try reports(of: CountEntry.self, in: tx) { $0.deviceID }
                    + reports(of: Decision.self, in: tx) { $0.deviceID }
            }
        }
    }

    private static func printJSON(_ findings: [VerifyFinding], _ chains: [Chain]) {
        let checks = findings.map { finding -> JSONValue in
            [
                "check": .string(finding.check), "examined": .integer(Int64(finding.examined)),
                "problems": .array(finding.problems.map { .string($0) }), "isFault": .bool(finding.isFault),
            ]
        }
        let links = chains.map { chain -> JSONValue in
            [
                "kind": .string(chain.kind), "device": .string(chain.device),
                "checked": .integer(Int64(chain.report.checked)), "intact": .bool(chain.report.isIntact),
                "firstBroken": chain.report.firstBroken.map { .string($0.id) } ?? .null,
            ]
        }
        print(JSONValue.object(["checks": .array(checks), "chains": .array(links)]).text)
    }

    private static func printText(_ findings: [VerifyFinding], _ chains: [Chain], isStore: Bool) {
        for finding in findings {
            guard !finding.problems.isEmpty else {
                if finding.examined > 0 { print("\(finding.check): \(finding.examined) examined, whole") }
                continue
            }
            for problem in finding.problems.prefix(10) {
                print("\(finding.check): \(finding.isFault ? "DAMAGED: " : "")\(problem)")
            }
        }
        for chain in chains {
            let end = chain.report.firstBroken.map { "BROKEN at \($0.id): \($0.fault)" } ?? "intact"
            print("\(chain.kind) of \(chain.device): \(chain.report.checked) checked, \(end)")
        }
        if chains.isEmpty, isStore { print("there are no chains in this store") }
    }

    private static func reports<R: ChainedRecord>(
        of type: R.Type, in tx: StoreTransaction, device: (R) -> String
    ) throws -> [(kind: String, device: String, report: ChainReport)] {
        Dictionary(grouping: try tx.query(type), by: device).sorted { $0.key < $1.key }.map { code, records in
            (R.schema.name, code, RecordChain.verify(records, sha256: { SHA256.hexDigest($0) }))
        }
    }
}
