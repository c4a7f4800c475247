import Basics
import Models

/// One element of a GS1 message: an application identifier and its data.
public struct GS1Element: Sendable, Hashable {
    /// The identifier's digits.
    public let identifier: String
    /// The data as it stood in the symbol.
    public let value: String

    /// Pairs an identifier with its data.
    public init(_ identifier: String, _ value: String) {
        self.identifier = identifier
        self.value = value
    }
}

/// Something about a GS1 message that a person should know; none of these loses the scan.
public enum GS1Flag: Sendable, Hashable {
    /// The text is no well-formed message from this byte on.
    case malformed(position: Int, reason: String)
    /// A check digit is wrong.
    case badCheckDigit(String)
    /// A date that is none, or `000000`.
    case badDate(String)
    /// The same identifier came twice with different data; the first is used.
    case contradiction(String)
    /// Two identifiers that exclude each other: 01 and 37.
    case excluded(String, String)
    /// An identifier without another that it needs: 37 without 02, 21 without 01.
    case missing(String, neededBy: String)
    /// A separator seems to be missing: the data of this identifier may hold further elements.
    case swallowedElements(String)

    /// Whether the message cannot be used as it is.
    public var isFatal: Bool {
        switch self {
        case .malformed, .badCheckDigit: true
        default: false
        }
    }
}

/// A measure from an identifier such as 3103: digits and where their point is.
public struct GS1Measure: Sendable, Hashable {
    /// The first three digits of the identifier: 310 is net weight in kilograms.
    public let kind: String
    /// The six digits as a number.
    public let units: Int64
    /// How many of the digits stand behind the point.
    public let places: Int

    /// The exact value, where three places can say it.
    public var value: Decimal3? {
        if places <= Decimal3.places { return Decimal3(units: units * powerOfTen(Decimal3.places - places)) }
        let scale = powerOfTen(places - Decimal3.places)
        return units % scale == 0 ? Decimal3(units: units / scale) : nil
    }

    /// The shortest numeral.
    public var text: String { decimalText(units, places: places) }
}

/// What a scan said in GS1's language, with its raw bytes.
public struct GS1Message: Sendable, Hashable {
    /// The bytes as they came, symbology identifier included.
    public let raw: [UInt8]
    /// The elements in order, as far as they could be read.
    public let elements: [GS1Element]
    /// What a person should know.
    public let flags: [GS1Flag]
    /// The window that two-digit years are read in: dates lie within 50 years of this one.
    public let year: Int

    /// Whether it can be used.
    public var isUsable: Bool { !elements.isEmpty && !flags.contains(where: \.isFatal) }

    /// The data of an identifier, the first where it came twice.
    public subscript(identifier: String) -> String? { elements.first { $0.identifier == identifier }?.value }

    /// The serial shipping container code: a licence plate.
    public var sscc: String? { self["00"] }
    /// The trade item (01, or the item of an 8006 piece).
    public var gtin: GTIN? { (self["01"] ?? self["8006"].map { String($0.prefix(14)) }).flatMap { GTIN($0) } }
    /// The trade item contained in a logistic unit (02).
    public var contentGTIN: GTIN? { self["02"].flatMap { GTIN($0) } }
    /// How many of 02 the logistic unit holds (37).
    public var contentCount: Decimal3? { self["37"].flatMap { Int64($0) }.map { Decimal3(units: $0 * 1000) } }
    /// The pieces in an item of variable count (30).
    public var variableCount: Decimal3? { self["30"].flatMap { Int64($0) }.map { Decimal3(units: $0 * 1000) } }
    /// The lot (10); lower case is significant.
    public var lot: String? { self["10"] }
    /// The serial number (21).
    public var serial: String? { self["21"] }
    /// The expiry date (17, or the day of 7003).
    public var expiry: CivilDate? { date("17") ?? self["7003"].flatMap { gs1Date($0.prefix(6), year: year) } }
    /// The best-before date (15).
    public var bestBefore: CivilDate? { date("15") }
    /// The production date (11).
    public var production: CivilDate? { date("11") }
    /// The packaging date (13).
    public var packaging: CivilDate? { date("13") }
    /// The sell-by date (16).
    public var sellBy: CivilDate? { date("16") }
    /// The internal variant (20).
    public var variant: String? { self["20"] }
    /// A GS1 location label: global location number and extension (414, 254).
    public var location: (gln: String, extension: String?)? { self["414"].map { ($0, self["254"]) } }
    /// The company's own data (90 to 99).
    public var companyInternal: [GS1Element] { elements.filter { $0.identifier.utf8.first == 57 } }

    /// Weights, lengths, areas and volumes.
    public var measures: [GS1Measure] {
        elements.compactMap { element in
            guard element.identifier.count == 4, let group = Int(element.identifier.prefix(2)),
                (31...36).contains(group), let places = Int(element.identifier.suffix(1)),
                let units = Int64(element.value)
            else { return nil }
            return GS1Measure(kind: String(element.identifier.prefix(3)), units: units, places: places)
        }
    }

    /// The net weight in kilograms (310n).
    public var netWeight: GS1Measure? { measures.first { $0.kind == "310" } }

    /// A date element, nil where it is missing or no date.
    public func date(_ identifier: String) -> CivilDate? {
        self[identifier].flatMap { gs1Date($0[...], year: year, allowsMonth: true) }
    }
}

/// Reads YYMMDD with a sliding century: the year lies within 49 years before and 50 after `year`.
///
/// Day 00 means the month's last day where `allowsMonth` is true.
public func gs1Date(_ text: some StringProtocol, year: Int, allowsMonth: Bool = false) -> CivilDate? {
    var scan = DigitScanner(text)
    guard let short = scan.digits(2), let month = scan.digits(2), let day = scan.digits(2), scan.atEnd,
        (1...12).contains(month)
    else { return nil }
    var full = year - year % 100 + short
    let distance = short - year % 100
    if distance >= 51 { full -= 100 } else if distance <= -50 { full += 100 }
    if day == 0 {
        guard allowsMonth else { return nil }
        return CivilDate(year: full, month: month, day: CivilDate.length(year: full, month: month))
    }
    return CivilDate(year: full, month: month, day: day)
}
