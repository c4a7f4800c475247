import Basics
import Counting
import Crypto
import Models
import WarehouseModels

@testable import DataStore

/// A small floor in a store of its own: two people, twelve bins, four items.
enum CounterFloor {
    static let time = ManualTimeSource(DateTime(milliseconds: 1_800_000_000_000), bootID: "boot")

    static func task(_ bin: String) -> String {
        RecordID.task(session: "S1", bin: bin, round: 1) { SHA256.hexDigest($0) }
    }

    static func store(
        visibility: Visibility = .BLIND, sharing: Sharing = .FLOOR, state: SessionState = .counting,
        time: ManualTimeSource
    ) throws -> StoreCore {
        var options = StoreOptions(time: time, random: SeededRandom(seed: 1), isLocalOnly: true)
        options.policies = syncPolicies(for: .terminal).mapValues {
            $0 == SyncPolicy.none ? SyncPolicy.none : SyncPolicy.both
        }
        let core = try StoreCore(schema: warehouse, at: .memory, options: options)
        try core.write(as: nil) { tx in
            for (id, name) in [
                ("ann", "Ann Lee"), ("bob", "Bob Miles"), ("zoe", "Zoë Featherstonehaugh-Wolfeschlegel"),
            ] {
                try tx.save(
                    Person(id: id, login: id, name: name, roles: [.counters], language: "en", active: true))
            }
            try tx.save(
                Person(id: "dave", login: "dave", name: "Dave Desk", roles: [.desk], language: "en", active: true))
            try tx.save(Zone(id: "Z", code: "B", name: "Racks", walkSequence: 1))
            try tx.save(
                CountSession(
                    id: "S1", name: "Night count", kind: .CYCLE, visibility: visibility, sharing: sharing, state: state)
            )
            try saveItems(tx)
            for number in 1...12 {
                let code = number < 10 ? "B-01-0\(number)" : "B-01-\(number)"
                let bin = "bin\(number)"
                try tx.save(
                    Bin(
                        id: bin, code: code, zoneID: "Z", walkSequence: number, kind: .shelf,
                        checkDigits: String(20 + number), active: true))
                guard number < 12 else { continue }
                try tx.save(
                    BinTask(
                        id: task(bin), sessionID: "S1", binID: bin, binCode: code, zoneID: "Z", walkSequence: number,
                        state: .todo, priority: 0, notForIDs: number == 11 ? ["ann"] : [],
                        notice: number == 3 ? "pick open: count what you see" : nil))
            }
            if visibility != .BLIND {
                try tx.save(
                    ExpectedLine(
                        id: "x1", sessionID: "S1", taskID: task("bin1"), itemID: "filter",
                        quantity: visibility == .GUIDED ? 40 : nil))
            }
        }
        return core
    }

    /// A shelf of many items, each with a label of its own: `L001`, `L002` and so on.
    static func stock(_ count: Int, in core: StoreCore) throws {
        try core.write(as: nil) { tx in
            for number in 1...count {
                let digits = String(1000 + number).dropFirst()
                try tx.save(
                    Item(
                        id: "i\(digits)", sku: "PART-\(digits)", name: "Part number \(number)", baseUnit: "EA",
                        decimals: 0, tracking: .NONE, hasExpiry: false, active: true))
                try tx.save(
                    Barcode(id: "l\(digits)", value: normalisedCode("L\(digits)"), itemID: "i\(digits)", source: "test")
                )
            }
        }
    }

    private static func saveItems(_ tx: StoreTransaction) throws {
        for (id, sku, name, tracking) in [
            ("filter", "4711-AX", "Filter 10 inch blue", Tracking.NONE), ("valve", "0815-B", "Valve half inch", .NONE),
            ("lotted", "LOT-1", "Paint red", .LOT), ("pump", "SER-1", "Pump", .SERIAL),
            ("valve2", "0816-B", "Valve one inch", .NONE),
        ] {
            try tx.save(
                Item(
                    id: id, sku: sku, name: name, baseUnit: "EA", decimals: 0, tracking: tracking, hasExpiry: false,
                    active: true))
        }
        try tx.save(Pack(id: "filterCase", itemID: "filter", unit: "CS", numerator: "12", denominator: "1"))
        try tx.save(
            Barcode(id: "b1", value: normalisedCode("4006381333931"), itemID: "filter", source: "test"))
    }
}
