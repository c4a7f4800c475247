import Basics
import Models
import WarehouseModels

@testable import DataStore

/// Two zones of three bins with a frozen book, three counters and two supervisors.
enum SupervisorFloor {
    static func fill(_ core: StoreCore) throws {
        try core.write(as: nil) { tx in
            for (id, name, role) in [
                ("ann", "Ann Lee", Role.counters), ("bob", "Bob Miles", .counters), ("cara", "Cara Diaz", .counters),
                ("dan", "Dan Fox", .counters),
                ("sue", "Sue Park", .supervisors), ("sam", "Sam Hill", .supervisors),
            ] {
                try tx.save(Person(id: id, login: id, name: name, roles: [role], language: "en", active: true))
            }
            for (id, sku, name, cost) in [
                ("filter", "4711-AX", "Filter 10 inch blue", 2), ("valve", "0815-B", "Valve half inch", 10),
            ] {
                try tx.save(
                    Item(
                        id: id, sku: sku, name: name, baseUnit: "EA", decimals: 0, abcClass: "A", tracking: .NONE,
                        hasExpiry: false, active: true))
                try tx.save(ItemCost(id: "c-" + id, itemID: id, unitCost: Decimal4(cost), currency: "EUR"))
            }
            for (index, zone) in ["A", "B"].enumerated() {
                try tx.save(
                    Zone(
                        id: zone, code: zone, name: zone == "A" ? "Tool crib" : "Racks", walkSequence: index + 1,
                        erpSite: "1000"))
                for number in 1...3 {
                    let bin = "\(zone)-0\(number)"
                    try tx.save(
                        Bin(
                            id: bin, code: bin, zoneID: zone, walkSequence: index * 3 + number, kind: .shelf,
                            checkDigits: "1\(number)", active: true))
                    try tx.save(
                        BookLine(id: "l-" + bin, snapshotID: "book", binID: bin, itemID: "filter", quantity: 100))
                }
            }
            let asOf = DateTime(milliseconds: 1_800_000_000_000).advanced(by: -3_600_000)
            try tx.save(
                BookSnapshot(id: "book", source: "test", sha256: "x", asOf: asOf, lines: 6, bookFrozen: true))
            try tx.save(
                Rule(
                    id: "r", kind: .reason, test: "any-of", limits: JSONText(["recountDelayMinutes": 0]), since: asOf))
        }
    }
}
