import Basics
import Models
import Testing

@testable import Counting
@testable import WarehouseModels

struct Masters: MasterData {
    var bins: [Bin] = []
    var items: [Item] = []
    var codes: [Barcode] = []
    var packs: [Pack] = []
    var people: [Person] = []
    var matches: [CodeMatch] = []
    var lots: Set<String> = []

    func bins(code: String) -> [Bin] {
        bins.filter { $0.code.uppercased() == code || $0.barcode.map(normalisedCode) == code }
    }
    func barcodes(value: String) -> [Barcode] { codes.filter { $0.value == value } }
    func item(id: String) -> Item? { items.first { $0.id == id } }
    func items(sku: String) -> [Item] { items.filter { $0.sku.uppercased() == sku.uppercased() } }
    func items(skuPrefix: String, limit: Int) -> [Item] {
        Array(items.filter { $0.sku.uppercased().hasPrefix(skuPrefix.uppercased()) }.prefix(limit))
    }
    func items(nameWordPrefix: String, limit: Int) -> [Item] {
        let prefix = nameWordPrefix.uppercased()
        return Array(
            items.filter { $0.name.uppercased().split(separator: " ").contains { $0.hasPrefix(prefix) } }.prefix(limit))
    }
    func packs(itemID: String) -> [Pack] { packs.filter { $0.itemID == itemID } }
    func people(login: String) -> [Person] { people.filter { $0.login.uppercased() == login.uppercased() } }
    func match(value: String) -> CodeMatch? { matches.first { normalisedCode($0.value) == value } }
    func knowsLot(_ lot: String, itemID: String) -> Bool { lots.contains(lot) }
}

@Suite struct CodeResolverTests {
    let masters: Masters
    let resolver: CodeResolver<Masters>

    init() {
        func item(_ id: String, _ sku: String, _ name: String) -> Item {
            Item(
                id: id, sku: sku, name: name, baseUnit: "EA", decimals: 0, tracking: .NONE, hasExpiry: false,
                active: true)
        }
        func bin(_ code: String, _ barcode: String? = nil) -> Bin {
            Bin(
                id: "bin-\(code)", code: code, zoneID: "z", walkSequence: 1, kind: .rack, barcode: barcode,
                checkDigits: "47", active: true)
        }
        var masters = Masters()
        masters.bins = [bin("B12-07-03", "LOC-9"), bin("A1"), bin("4006381000004X7")]
        masters.items =
            [
                item("i1", "4711-AX", "Filter 10\" blue"), item("i2", "E-100", "Valve 1/2\""),
                item("i3", "A1", "Adapter"),
            ]
            + (0..<12).map { item("s\($0)", "SCR-\($0)", "Screw M\($0)") }
        masters.packs = [Pack(id: "p1", itemID: "i1", unit: "CS", numerator: "12", denominator: "1")]
        masters.codes = [
            Barcode(id: "b1", value: "04006381333931", itemID: "i1", source: "erp"),
            Barcode(id: "b2", value: "10614141123459", itemID: "i1", packID: "p1", source: "erp"),
            Barcode(id: "b3", value: "00042100005264", itemID: "i2", source: "erp"),
        ]
        masters.people = [
            Person(id: "ann", login: "ann", name: "Ann Lee", roles: [.counters], language: "en", active: true)
        ]
        masters.matches = [
            CodeMatch(
                id: "m", sessionID: "s", value: "QQ-1", itemID: "i2", unit: "CS", factor: 6, byID: "sue", at: clock(9))
        ]
        masters.lots = ["0329"]
        self.masters = masters
        resolver = CodeResolver(
            masters, conventions: CodeConventions(binIdentifiers: ["91"], commands: ["E", "U", "K"]), year: 2026)
    }

    func scan(_ text: String) -> CodeMeaning { resolver.resolve(CodeInput(scan: Array(text.utf8))) }
    func type(_ text: String) -> CodeMeaning { resolver.resolve(CodeInput(typed: text)) }

    func item(_ meaning: CodeMeaning) -> ItemReading? { if case .item(let reading) = meaning { reading } else { nil } }
    func bin(_ meaning: CodeMeaning) -> String? { if case .bin(let bin) = meaning { bin.code } else { nil } }

    @Test func `a letter and Enter is a command, a letter followed by anything is text`() {
        #expect(type("e") == .command("E"))
        #expect(item(type("E-100"))?.item.id == "i2")
        #expect(item(type("e-1"))?.item.id == "i2")
        #expect(scan("E") != .command("E"))
    }

    @Test func `finds bins by code, barcode, prefix and GS1 location`() {
        #expect(bin(scan("b12-07-03")) == "B12-07-03")
        #expect(bin(scan("LOC-9")) == "B12-07-03")
        #expect(bin(scan("L:B12-07-03\r")) == "B12-07-03")
        #expect(bin(scan("]C1" + "4144006381000000254B12-07-03")) == "B12-07-03")
        #expect(bin(scan("]C191B12-07-03")) == "B12-07-03")
        #expect(bin(type("B12-07-03")) == "B12-07-03")
    }

    @Test func `finds items by every length of their number`() {
        #expect(item(scan("4006381333931"))?.item.id == "i1")
        #expect(item(scan("]E04006381333931"))?.item.id == "i1")
        #expect(item(scan("]d20104006381333931"))?.item.id == "i1")
        #expect(item(scan("04252614"))?.item.id == "i2")
        #expect(item(scan("4711-ax"))?.item.id == "i1")
        let unit = item(scan("10614141123459"))
        #expect(unit?.pack?.unit == "CS")
    }

    @Test func `reads lot, serial, expiry and quantity from the label`() {
        let reading = item(scan("]d2010400638133393117261130" + "10A77\u{1D}21S1"))
        #expect(reading?.lot == "A77" && reading?.serial == "S1" && reading?.expiry == "2026-11-30")
        let pallet = item(scan("]C1001061414123456789080210614141123459" + "3740"))
        #expect(pallet?.licencePlate == "106141412345678908" && pallet?.statedQuantity == 40)
        #expect(pallet?.pack?.id == "p1")
        let plain = item(scan("(01)04006381333931(10)A77"))
        #expect(plain?.lot == "A77")
        #expect(item(scan("https://id.gs1.org/01/04006381333931/10/A77"))?.lot == "A77")
    }

    @Test func `a shorter lot is offered where it is known, and never taken`() {
        let reading = item(scan("]C1010400638133393110032915210526"))
        #expect(reading?.lot == "032915210526" && reading?.otherLots == ["0329"])
    }

    @Test func `a code that means two things offers both`() {
        guard case .several(let candidates) = scan("A1") else {
            Issue.record("one meaning only")
            return
        }
        #expect(candidates.count == 2)
    }

    @Test func `typed text that is no item offers at most nine, and never goes to the tray`() {
        guard case .several(let candidates) = type("screw") else {
            Issue.record("not several")
            return
        }
        #expect(candidates.count == 9)
        #expect(item(type("valve"))?.item.id == "i2")
        #expect(type("zzz") == .nothing && type("") == .nothing && type("9999999") == .nothing)
    }

    @Test func `only a scan goes to the tray, with the reason`() {
        #expect(scan("ZZZ") == .unknown(code: "ZZZ", reason: .noRecord))
        let foreign = GTIN("7032069804988")!
        #expect(scan("7032069804988") == .unknown(code: foreign.digits, reason: .unknownGTIN(foreign)))
        guard case .unknown(_, .restrictedNumber(let number)) = scan("2811111068708") else {
            Issue.record("not restricted")
            return
        }
        #expect(number.reach == .region)
        guard case .unknown(_, .badLabel) = scan("]C101123123123133^10ABC") else {
            Issue.record("not a bad label")
            return
        }
        #expect(scan("\u{1D}\r\n") == .unknown(code: "", reason: .empty))
    }

    @Test func `knows plates, badges and matched codes`() {
        #expect(scan("00106141412345678908") == .plate("106141412345678908", flags: []))
        #expect(scan("LP:000123") == .plate("LP:000123", flags: []))
        #expect(scan("badge:ANN") == .person(masters.people[0]))
        #expect(type("ann") == .person(masters.people[0]))
        let matched = item(scan("qq-1"))
        #expect(matched?.item.id == "i2" && matched?.match?.factor == 6)
    }

    @Test func `never crashes on random scans and always answers a scan`() {
        let heads = ["", "]C1", "]d2", "]E0", "01", "(01)", "LOC-", "00", "\u{1D}", "https://a/01/"]
        for seed in 0..<2000 {
            var random = SplitMix64(seed: UInt64(seed))
            var bytes = Array(heads[random.below(heads.count)].utf8)
            for _ in 0..<random.below(40) {
                bytes.append(random.below(3) == 0 ? UInt8(random.below(256)) : UInt8(48 + random.below(10)))
            }
            let input = CodeInput(scan: bytes)
            #expect(input.raw == bytes && resolver.resolve(input) != .nothing)
        }
    }
}
