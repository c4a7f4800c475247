import Basics
import Models
import Testing

@testable import Counting

@Suite struct GTINTests {
    @Test(arguments: ["7032069804988", "10614141123459", "02345673", "00614141123452", "012345000065"])
    func `accepts a right check digit`(text: String) {
        #expect(GTIN(text)?.digits.hasSuffix(text) == true)
    }

    @Test(arguments: ["02345674", "7032069804987", "123", "70320698O4988", "", "123456789012345"])
    func `refuses what is none`(text: String) { #expect(GTIN(text) == nil) }

    @Test func `finds the unit that a case holds`() {
        #expect(GTIN("10614141123459")?.base == GTIN("00614141123452"))
        #expect(GTIN("10614141123459")?.indicator == 1)
        #expect(GTIN("00614141123452")?.shortest == "614141123452")
        #expect(GTIN("02345673")?.shortest == "02345673")
    }

    @Test(arguments: [
        ("01234565", "012345000065"), ("04252614", "042100005264"), ("01245714", "012100004574"),
        ("00123457", "001234000057"),
    ])
    func `expands UPC-E`(short: String, long: String) {
        #expect(GTIN.expandUPCE(short) == long)
        #expect(GTIN(upcE: short) == GTIN(long))
    }

    @Test func `compares codes of all lengths alike`() {
        #expect(normalisedCode("4006381333931") == "04006381333931")
        #expect(normalisedCode(" b-12a ") == "B-12A")
        #expect(normalisedCode("012345000065") == normalisedCode("0012345000065"))
    }

    @Test func `recognises numbers of stores and companies`() {
        #expect(RestrictedNumber(GTIN("2811111068708")!)?.reach == .region)
        #expect(RestrictedNumber(GTIN("2588060112348")!)?.reach == .region)
        #expect(RestrictedNumber(GTIN("02345673")!)?.reach == .company)
        #expect(RestrictedNumber(GTIN("4006381333931")!) == nil)
    }
}

@Suite struct GS1ReaderTests {
    let reader = GS1Reader(year: 2026)

    func read(_ text: String) -> GS1Message {
        reader.elementString(Array(text.utf8))
    }

    func pairs(_ message: GS1Message) -> [String] { message.elements.map { "\($0.identifier)=\($0.value)" } }

    @Test func `reads the standard's examples`() {
        let first = read("]C1010703206980498815210526100329")
        #expect(pairs(first) == ["01=07032069804988", "15=210526", "10=0329"])
        #expect(first.bestBefore == CivilDate(year: 2021, month: 5, day: 26))
        #expect(first.isUsable && first.lot == "0329" && first.gtin == GTIN("7032069804988"))
        let second = read("0107032069804988100329\u{1D}15210526")
        #expect(second.lot == "0329" && second.bestBefore?.text == "2021-05-26" && second.flags.isEmpty)
        let third = read("]e0011231231231233310ABC123\u{1D}99TESTING")
        #expect(third.lot == "ABC123" && third["99"] == "TESTING" && third.isUsable)
    }

    @Test func `a lost separator is flagged and the shorter lot proposed, never taken`() {
        let message = read("010703206980498810032915210526")
        #expect(message.lot == "032915210526")
        #expect(message.flags == [.swallowedElements("10")])
        #expect(message.isUsable)
        let others = reader.alternatives(to: message)
        #expect(others.contains { $0.lot == "0329" && $0.bestBefore?.text == "2021-05-26" })
    }

    @Test func `a fixed field cut short is refused with its raw bytes kept`() {
        let message = read("]C101123123123133^10ABC")
        #expect(!message.isUsable)
        #expect(message.raw == Array("]C101123123123133^10ABC".utf8))
    }

    @Test(arguments: [
        "]d201040063813339311726113010A77\u{1D}21S1",
        "]d2\u{1D}0104006381333931\u{1D}17261130\u{1D}\u{1D}10A77\u{1D}21S1\u{1D}",
        "01040063813339311726113010A77~21S1", "01040063813339311726113010A77|21S1",
        "01040063813339311726113010A77{GS}21S1",
        "01040063813339311726113010A77<GS>21S1", "01040063813339311726113010A77^21S1",
    ])
    func `reads every form in which separators arrive`(text: String) {
        let message = read(text)
        #expect(pairs(message) == ["01=04006381333931", "17=261130", "10=A77", "21=S1"])
        #expect(message.flags.isEmpty)
        #expect(message.expiry?.text == "2026-11-30" && message.serial == "S1")
    }

    @Test func `reads the bracketed form`() {
        let message = reader.bracketed(Array("(01)04006381333931(10)A(7)7(21)S1".utf8))
        #expect(message?.lot == "A(7)7" && message?.serial == "S1" && message?.flags == [])
        #expect(reader.bracketed(Array("01040063".utf8)) == nil)
    }

    @Test func `keeps lower case in lots`() { #expect(read("010400638133393110aBc").lot == "aBc") }

    @Test func `reads contents of a logistic unit`() {
        let message = read("00106141412345678908020061414112345237144")
        #expect(message.sscc == "106141412345678908")
        #expect(message.contentGTIN == GTIN("00614141123452") && message.contentCount == 144)
        #expect(message.flags.isEmpty)
    }

    @Test func `reads measures as exact decimals`() {
        let message = read("019061414112345831030001953101000012")
        #expect(message.measures.map(\.text) == ["0.195", "1.2"])
        #expect(message.netWeight?.value == Decimal3(units: 195))
        #expect(GS1Measure(kind: "310", units: 12345, places: 5).value == nil)
        #expect(GS1Measure(kind: "310", units: 12300, places: 5).value == Decimal3(units: 123))
    }

    @Test func `reads locations, variable counts and company data`() {
        let message = read("4144006381000000254B12-07-03")
        #expect(message.location?.extension == "B12-07-03")
        #expect(read("01040063813339313012").variableCount == 12)
        #expect(read("91BIN-7").companyInternal == [GS1Element("91", "BIN-7")])
    }

    @Test(arguments: [
        ("010400638133393117000000", [GS1Flag.badDate("17")]), ("0104006381333931200237144", [.excluded("01", "37")]),
        ("37144", [.missing("02", neededBy: "37")]), ("21S1", [.missing("01", neededBy: "21")]),
        ("10A\u{1D}10B", [.contradiction("10")]), ("10A\u{1D}10A", []), ("0104006381333932", [.badCheckDigit("01")]),
        ("3012", [.missing("01", neededBy: "30")]), ("254B1", [.missing("414", neededBy: "254")]),
        ("0104006381333931700326023012", [.malformed(position: 16, reason: "(7003) has 8 characters instead of 10")]),
    ])
    func `flags what contradicts itself`(text: String, flags: [GS1Flag]) {
        #expect(read(text).flags == flags)
    }

    @Test func `reads dates with a sliding century and the day 00`() {
        #expect(gs1Date("200229", year: 2026)?.text == "2020-02-29")
        #expect(gs1Date("200230", year: 2026) == nil)
        #expect(gs1Date("210229", year: 2026) == nil)
        #expect(gs1Date("260200", year: 2026, allowsMonth: true)?.text == "2026-02-28")
        #expect(gs1Date("260200", year: 2026) == nil)
        #expect(gs1Date("770101", year: 2026)?.text == "1977-01-01")
        #expect(gs1Date("760101", year: 2026)?.text == "2076-01-01")
        #expect(gs1Date("000101", year: 2050)?.text == "2100-01-01")
        #expect(gs1Date("000000", year: 2026, allowsMonth: true) == nil)
    }

    @Test func `never crashes on random bytes and keeps them`() {
        let heads = ["", "]C1", "]d2", "01", "0104006381333931", "(01)", "https://a/01/", "00", "10", "8006", "414"]
        let alphabet: [UInt8] = Array("0123456789()[]{}<>GS%/?=&.ABCabc~|^#-_".utf8) + [0x1D, 0, 0xFF, 0x80, 0x1E, 4]
        for seed in 0..<6000 {
            var random = SplitMix64(seed: UInt64(seed))
            var bytes = Array(heads[random.below(heads.count)].utf8)
            for _ in 0..<random.below(48) {
                bytes.append(seed % 4 == 0 ? UInt8(random.below(256)) : alphabet[random.below(alphabet.count)])
            }
            let message = reader.elementString(bytes)
            #expect(message.raw == bytes)
            for alternative in reader.alternatives(to: message) { #expect(alternative.raw == bytes) }
            if let bracketed = reader.bracketed(bytes) { #expect(bracketed.raw == bytes) }
            if let link = reader.digitalLink(bytes) { #expect(link.raw == bytes) }
            _ = (message.measures, message.expiry, message.gtin, message.contentCount, message.companyInternal)
        }
    }

    @Test func `what is put together is read back`() {
        for seed in 0..<500 {
            var random = SplitMix64(seed: UInt64(seed))
            let payload = "0" + (0..<12).map { _ in String(random.below(10)) }.joined()
            let gtin = payload + GTIN.checkDigit(for: payload.utf8)
            let lot = (0...random.below(18)).map { _ in
                String("ABCxyz0123-/"["ABCxyz0123-/".index("ABCxyz0123-/".startIndex, offsetBy: random.below(12))])
            }.joined()
            let serial = String(random.below(1_000_000))
            let message = read("]d201\(gtin)10\(lot)\u{1D}21\(serial)\u{1D}17261231")
            #expect(message.gtin?.digits == gtin && message.lot == lot && message.serial == serial)
            #expect(message.expiry?.text == "2026-12-31")
        }
    }
}

@Suite struct DigitalLinkTests {
    let reader = GS1Reader(year: 2026)

    func read(_ text: String) -> GS1Message? { reader.digitalLink(Array(text.utf8)) }

    @Test func `reads key, qualifiers and query`() {
        let message = read("]Q1https://example.com/01/12312312312333?99=TEST")
        #expect(message?.elements == [GS1Element("01", "12312312312333"), GS1Element("99", "TEST")])
        let pallet = read("https://id.gs1.org/00/106141412345678908?02=00614141123452&37=25&10=ABC123")
        #expect(pallet?.sscc == "106141412345678908" && pallet?.contentCount == 25 && pallet?.lot == "ABC123")
        #expect(pallet?.isUsable == true)
        let full = read("HTTPS://a.b/some/path/01/4006381333931/22/V/10/L%2F1/21/S?17=261130&foo=bar")
        #expect(full?.gtin == GTIN("4006381333931") && full?.lot == "L/1" && full?.serial == "S")
        #expect(full?.flags == [] && full?.elements.count == 5)
    }

    @Test(arguments: [
        "https://id.gs1.org/01/01234567890128/21/12345XYZ/10/ABC123", "https://example.com/shop/item",
        "https://example.com/01/123", "https://example.com/01/04006381333931/10/a%2", "https://",
    ])
    func `refuses what breaks the rules`(text: String) { #expect(read(text)?.isUsable == false) }

    @Test func `leaves other text alone`() {
        #expect(read("HtTp://example.com/01/12312312312333") == nil)
        #expect(read("B12-07-03") == nil)
    }
}
