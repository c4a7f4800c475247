import Basics
import Counting
import Crypto
import Models
import WarehouseModels

/// A small warehouse made by code from a seed: 200 bins, 120 items with valid GTINs, what really lies in the bins, and
/// a book that is wrong in planted places.
package struct SampleWarehouse: Sendable {
    package private(set) var zones: [Zone] = []
    package private(set) var bins: [Bin] = []
    package private(set) var items: [Item] = []
    package private(set) var costs: [ItemCost] = []
    package private(set) var packs: [Pack] = []
    package private(set) var barcodes: [Barcode] = []
    package private(set) var people: [Person] = []
    package private(set) var snapshot: BookSnapshot
    package private(set) var book: [BookLine] = []
    /// What a counter finds, by bin id.
    package private(set) var shelves: [String: [ShelfStock]] = [:]
    /// Where the book was made wrong.
    package private(set) var planted: [PlantedError] = []

    /// One item on a shelf.
    package struct ShelfStock: Sendable, Hashable {
        package let itemID: String
        package let quantity: Int
        /// Whole cases among the quantity; the rest is loose.
        package let cases: Int
        /// Whether one piece's label cannot be read.
        package let unreadableLabel: Bool
    }

    /// A place where the book differs from the shelf on purpose.
    package struct PlantedError: Sendable, Hashable {
        /// How the book came to be wrong.
        package enum Kind: String, Sendable, CaseIterable {
            case miscounted, missing, unexpected, casesTypedAsPieces, swappedBins
        }

        package let kind: Kind
        package let binID: String
        package let itemID: String
        /// The book's quantity; 0 where it has no line.
        package let book: Int
        /// The shelf's quantity; 0 where there is nothing.
        package let shelf: Int
    }

    /// The pieces in a case, of every item.
    package static let caseSize = 12

    /// Makes the warehouse that belongs to `seed`; the book is as of `asOf`.
    package init(seed: UInt64 = 20, asOf: DateTime) throws {
        snapshot = BookSnapshot(
            id: Self.id("BookSnapshot", ["sample", String(seed)]), source: "sample warehouse",
            sha256: "sample-\(seed)", asOf: asOf, lines: 0, bookFrozen: true)
        var random = SplitMix64(seed: seed)
        makeItems(&random)
        makeBins()
        makeShelves(&random)
        try makeBook(&random)
        makePeople()
        snapshot = snapshot.updating { $0.lines = book.count }
    }

    private static let names: [(String, String)] = [
        ("Filter", "FL"), ("Valve", "VA"), ("Bearing", "BE"), ("Hose", "HO"), ("Seal ring", "SR"), ("Hex bolt", "HB"),
        ("Paint", "PA"), ("Work gloves", "WG"), ("Grinding disc", "GD"), ("Cable", "CA"), ("Fuse", "FU"),
        ("Belt", "BT"),
    ]
    private static let variants = [
        "small", "medium", "large", "blue", "red", "black", "steel", "brass", "long", "short",
    ]

    private mutating func makeItems(_ random: inout SplitMix64) {
        for number in 0..<120 {
            let (name, code) = Self.names[number / 10]
            let sku = "\(4700 + number)-\(code)"
            let id = Self.id("Item", [sku])
            let item = Item(
                id: id, sku: sku, name: "\(name) \(Self.variants[number % 10])", baseUnit: "EA", decimals: 0,
                abcClass: ["A", "B", "B", "C", "C"][number % 5], tracking: .NONE, hasExpiry: false, active: true)
            items.append(item)
            costs.append(
                ItemCost(
                    id: Self.id("ItemCost", [id]), itemID: id,
                    unitCost: Decimal4(units: Int64(5_000 + random.next() % 400_000)), currency: "EUR"))
            let pack = Pack(
                id: Self.id("Pack", [id, "CS"]), itemID: id, unit: "CS", numerator: String(Self.caseSize),
                denominator: "1")
            packs.append(pack)
            // 952 is GS1's prefix for demonstrations; indicator 1 is the case.
            let payload = "952" + padded(100_000_000 + number * 7, 9)
            barcodes.append(barcode(of: item, value: Self.gtin("0" + payload), packID: nil))
            barcodes.append(barcode(of: item, value: Self.gtin("1" + payload), packID: pack.id))
        }
    }

    private static func gtin(_ payload: String) -> String { payload + GTIN.checkDigit(for: Array(payload.utf8)) }

    /// The id of a record of the sample's site.
    package static func id(_ model: String, _ key: [String]) -> String {
        RecordID.natural(model, ["sample"] + key, sha256: { SHA256.hexDigest($0) })
    }

    private func barcode(of item: Item, value: String, packID: String?) -> Barcode {
        Barcode(
            id: Self.id("Barcode", [value]), value: value, itemID: item.id, packID: packID, source: "sample")
    }

    private mutating func makeBins() {
        let plan: [(code: String, name: String, aisles: Int, perAisle: Int, kind: BinKind)] = [
            ("A", "Tool crib", 4, 10, .shelf), ("B", "Racks", 10, 10, .rack), ("C", "Paint", 3, 10, .shelf),
            ("D", "Docks", 3, 10, .dock),
        ]
        var codes: [(String, String, BinKind, Int)] = []
        for (index, zone) in plan.enumerated() {
            let id = Self.id("Zone", [zone.code])
            zones.append(
                Zone(
                    id: id, code: zone.code, name: zone.name, walkSequence: index + 1, erpSite: "1000",
                    erpLocation: "000\(index + 1)"))
            for aisle in 1...zone.aisles {
                for place in 1...zone.perAisle {
                    codes.append(("\(zone.code)-\(padded(aisle, 2))-\(padded(place, 2))", id, zone.kind, aisle))
                }
            }
        }
        let digits = CheckDigits.assign(codes.map { (code: $0.0, existing: nil) }, seed: "sample")
        for (index, (code, zoneID, kind, aisle)) in codes.enumerated() {
            bins.append(
                Bin(
                    id: Self.id("Bin", [code]), code: code, zoneID: zoneID, walkSequence: index + 1, kind: kind,
                    aisle: padded(aisle, 2), barcode: code, checkDigits: digits[code] ?? "", active: true))
        }
    }

    private mutating func makeShelves(_ random: inout SplitMix64) {
        for (index, bin) in bins.enumerated() {
            if bin.code == "B-01-01" {
                // The newcomer's first bin: three cases and seven loose, one label unreadable.
                shelves[bin.id] = [
                    ShelfStock(itemID: items[11].id, quantity: 43, cases: 3, unreadableLabel: true)
                ]
                continue
            }
            guard random.next() % 16 != 0 else {
                shelves[bin.id] = []
                continue
            }
            let count = 1 + Int(random.next() % 3)
            shelves[bin.id] = (0..<count).map { slot in
                let item = items[(index * 7 + slot * 41) % items.count]
                let cases = Int(random.next() % 4)
                let loose = 1 + Int(random.next() % 11)
                return ShelfStock(
                    itemID: item.id, quantity: cases * Self.caseSize + loose, cases: cases, unreadableLabel: false)
            }
        }
    }

    /// Copies the shelves into the book, wrong in every sixteenth bin.
    private mutating func makeBook(_ random: inout SplitMix64) throws {
        for (index, bin) in bins.enumerated() {
            var lines = (shelves[bin.id] ?? []).map { (item: $0.itemID, quantity: $0.quantity) }
            if index % 16 == 7, !lines.isEmpty {
                let kind = PlantedError.Kind.allCases[planted.count % PlantedError.Kind.allCases.count]
                plant(kind, in: bin, at: index, lines: &lines, &random)
            }
            for line in lines {
                book.append(
                    try BookLine(
                        id: Self.id("BookLine", [snapshot.id, bin.id, line.item]), snapshotID: snapshot.id,
                        binID: bin.id, itemID: line.item, quantity: Decimal3(line.quantity)))
            }
        }
    }

    private mutating func plant(
        _ kind: PlantedError.Kind, in bin: Bin, at index: Int, lines: inout [(item: String, quantity: Int)],
        _ random: inout SplitMix64
    ) {
        let shelf = lines[0]
        var book = shelf
        switch kind {
        case .miscounted, .swappedBins:
            book.quantity += 1 + Int(random.next() % 5)
            lines[0] = book
        case .casesTypedAsPieces:
            book.quantity = shelf.quantity + Self.caseSize * 2
            lines[0] = book
        case .unexpected:
            lines.removeFirst()
            book.quantity = 0
        case .missing:
            let other = items[(index * 7 + 60) % items.count].id
            guard !lines.contains(where: { $0.item == other }) else {
                return plant(.miscounted, in: bin, at: index, lines: &lines, &random)
            }
            lines.append((item: other, quantity: 5))
            planted.append(PlantedError(kind: kind, binID: bin.id, itemID: other, book: 5, shelf: 0))
            return
        }
        planted.append(
            PlantedError(kind: kind, binID: bin.id, itemID: shelf.item, book: book.quantity, shelf: shelf.quantity))
    }

    /// The site's rules: exact counts stand by themselves, others are for the supervisor; recounts go out at once.
    package var rules: [Rule] {
        [
            Rule(
                id: Self.id("Rule", ["tolerance"]), kind: .tolerance, test: "any-of",
                limits: JSONText(["percent": 0, "units": 0]), since: snapshot.asOf),
            Rule(
                id: Self.id("Rule", ["reason"]), kind: .reason, test: "any-of",
                limits: JSONText(["recountDelayMinutes": 0]), since: snapshot.asOf),
        ]
    }

    /// The same warehouse with only its first bins.
    package func limited(toBins count: Int) -> SampleWarehouse {
        var small = self
        small.bins = Array(bins.prefix(count))
        let kept = Set(small.bins.map(\.id))
        small.zones = zones.filter { zone in small.bins.contains { $0.zoneID == zone.id } }
        small.shelves = shelves.filter { kept.contains($0.key) }
        small.book = book.filter { kept.contains($0.binID) }
        small.planted = planted.filter { kept.contains($0.binID) }
        small.snapshot = snapshot.updating { $0.lines = small.book.count }
        return small
    }

    private mutating func makePeople() {
        let staff: [(String, String, Role)] = [
            ("ann", "Ann Lee", .counters), ("bob", "Bob Miles", .counters), ("cara", "Cara Diaz", .counters),
            ("dan", "Dan Fox", .counters), ("sue", "Sue Park", .supervisors),
        ]
        for (login, name, role) in staff {
            people.append(
                Person(
                    id: Self.id("Person", [login]), login: login, name: name, roles: [role], language: "en",
                    active: true))
        }
    }
}
