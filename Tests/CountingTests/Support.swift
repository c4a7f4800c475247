import Basics
import Models

@testable import Counting
@testable import WarehouseModels

/// Not SHA-256, but as good for tests: every bit of the input changes the 64 hexadecimal digits.
let testHash: SHA256Hex = { bytes in
    var result = ""
    for lane in 0..<4 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325 &+ UInt64(lane) &* 0x9E37_79B9_7F4A_7C15
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        var mixed = SplitMix64(seed: hash)
        let text = String(mixed.next(), radix: 16)
        result += String(repeating: "0", count: 16 - text.count) + text
    }
    return result
}

/// Minutes after eight o'clock of the day of the tests.
func clock(_ hour: Int, _ minute: Int = 0, _ second: Int = 0) -> DateTime {
    DateTime(milliseconds: 1_795_000_000_000 / 86_400_000 * 86_400_000)
        .advanced(by: Int64(hour * 3600 + minute * 60 + second) * 1000)
}

/// Writes the entries of one device.
struct Terminal {
    let device: String
    let person: String
    var sequence = 0
    var passes = 0
    var offset: Int? = 0
    var boot = "boot"
    var hash = ""

    init(_ device: String, _ person: String) {
        self.device = device
        self.person = person
    }

    mutating func pass(
        bin: String = "bin", companion: String? = nil, helpsPass: String? = nil, helpsPerson: String? = nil,
        takesOver: String? = nil, through: Int? = nil, task: String? = nil, at time: DateTime = clock(9)
    ) -> CountPass {
        passes += 1
        let ticket = RecordID.ticket(device: device, number: passes)
        return CountPass(
            id: ticket, ticket: ticket, sessionID: "s", taskID: task, binID: bin, counterID: person,
            companionID: companion, deviceID: device, helpsPersonID: helpsPerson, helpsPassID: helpsPass,
            takesOverPassID: takesOver, takesOverThrough: through, openedAt: time, openedBy: .BIN_SCAN)
    }

    mutating func entry(
        _ kind: EntryKind, _ pass: CountPass, item: String? = nil, lot: String? = nil, serial: String? = nil,
        plate: String? = nil, quantity: Decimal3? = nil, code: String? = nil, reverses: CountEntry? = nil,
        reason: String? = nil, count: Int? = nil, proof: EntryProof? = nil, expiry: String? = nil,
        author: String? = nil, at time: DateTime = clock(9)
    ) -> CountEntry {
        sequence += 1
        // Swift checks nothing here that a test could get wrong but the text of a date.
        let bare = try! CountEntry(
            id: RecordID.entry(device: device, sequence: sequence), sessionID: "s", passID: pass.id, kind: kind,
            itemID: item, lot: lot, licencePlate: plate, serial: serial, expiry: expiry, quantity: quantity,
            baseQuantity: quantity, code: code, reversesID: reverses?.id, reason: reason, proof: proof,
            entryCount: count, authorID: author ?? person, deviceID: device, sequence: sequence, at: time,
            clockOffsetMs: offset, bootID: boot,
            uptimeMs: String(time.milliseconds - clock(0).milliseconds), previousHash: hash, hash: "", crewIDs: [],
            audience: [])
        let sealed = try! bare.updating { $0.hash = RecordChain.hash(of: bare, sha256: testHash) }
        hash = sealed.hash
        return sealed
    }

    /// A whole pass: tallies, then CLOSE.
    mutating func count(
        _ pass: CountPass, _ amounts: [(item: String, quantity: Decimal3)], at time: DateTime = clock(9)
    ) -> [CountEntry] {
        var entries = amounts.map { entry(.TALLY, pass, item: $0.item, quantity: $0.quantity, at: time) }
        entries.append(entry(.CLOSE, pass, count: entries.count + 1, at: time))
        return entries
    }
}

func decision(
    _ kind: DecisionKind, _ targets: [String], to person: String? = nil, by: String = "sue", reason: String? = nil,
    sequence: Int = 1, at time: DateTime = clock(12)
) -> Decision {
    Decision(
        id: "D-\(sequence)", kind: kind, targetIDs: targets, seenRevisions: targets.map { _ in 1 },
        toPersonID: person, reason: reason, byID: by, deviceID: "D", sequence: sequence, at: time, previousHash: "",
        hash: "", result: .done)
}

func bookLine(_ item: String, _ quantity: Decimal3, lot: String? = nil, serials: [String]? = nil) -> BookLine {
    try! BookLine(
        id: "b-\(item)-\(lot ?? "")", snapshotID: "snap", binID: "bin", itemID: item, lot: lot, serials: serials,
        quantity: quantity)
}

func movement(
    _ item: String, _ quantity: Decimal3, opened: DateTime? = nil, booked: DateTime?,
    state: MovementState = .BOOKED, document: String = "8000417"
) -> StockMovement {
    StockMovement(
        id: "m-\(document)", binID: "bin", itemID: item, quantity: quantity, state: state, openedAt: opened,
        bookedAt: booked, document: document, source: "erp")
}

func book(
    _ lines: [BookLine], _ movements: [StockMovement] = [], through: DateTime? = clock(18), isFrozen: Bool = false
) -> BookFacts {
    BookFacts(asOf: clock(8), movementsThrough: through, isFrozen: isFrozen, lines: lines, movements: movements)
}

let exactly = JudgePolicy(tolerance: .exact, unitCost: 12)

extension SplitMix64 {
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
