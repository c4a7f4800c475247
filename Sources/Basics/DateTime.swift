/// An instant in UTC with millisecond resolution.
///
/// It is the Swift form of `AWSDateTime`, and of every time the store and the hub keep. On the wire it is written as
/// `2026-11-21T09:41:00.000Z`; any offset is accepted when read and folded into UTC.
public struct DateTime: Sendable, Hashable, Comparable, Codable {
    /// Milliseconds since 1970-01-01T00:00:00Z; negative before.
    public var milliseconds: Int64

    /// Makes an instant from milliseconds since 1970 in UTC.
    @inlinable
    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// Orders by time.
    public static func < (a: DateTime, b: DateTime) -> Bool { a.milliseconds < b.milliseconds }

    /// The instant `milliseconds` later (earlier where negative).
    public func advanced(by milliseconds: Int64) -> DateTime {
        DateTime(milliseconds: self.milliseconds + milliseconds)
    }

    /// Decodes the ISO 8601 text form.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = DateTime(iso8601: text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is not an AWSDateTime")
        }
        self = value
    }

    /// Encodes the ISO 8601 text form.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(iso8601)
    }
}

extension DateTime {
    /// Reads `YYYY-MM-DDThh:mm[:ss[.fff…]]` with an offset `Z`, `±hh:mm` or `±hh:mm:ss`; nil where it is anything else.
    ///
    /// A missing offset is read as UTC (AppSync's page calls it optional). Digits beyond milliseconds are dropped. What an
    /// offset moves out of the years that have a text (``writable``) is none.
    public init?(iso8601 text: some StringProtocol) {
        var scan = DigitScanner(text)
        guard let year = scan.digits(4), scan.take("-"), let month = scan.digits(2), scan.take("-"),
            let day = scan.digits(2), scan.take("T") || scan.take("t") || scan.take(" "),
            let hour = scan.digits(2), scan.take(":"), let minute = scan.digits(2)
        else { return nil }
        guard let days = CivilDate(year: year, month: month, day: day)?.daysSince1970 else { return nil }
        var second = 0
        var milli = 0
        if scan.take(":") {
            guard let s = scan.digits(2) else { return nil }
            second = s
            if scan.take(".") { milli = scan.fraction(places: 3) }
        }
        guard let offset = scan.offsetSeconds(), scan.atEnd, hour < 24 || (hour == 24 && minute == 0 && second == 0),
            minute < 60, second < 61
        else { return nil }
        let seconds = Int64(days) * 86_400 + Int64(hour * 3600 + minute * 60 + second) - Int64(offset)
        let milliseconds = seconds * 1000 + Int64(milli)
        guard Self.writable.contains(milliseconds) else { return nil }
        self.init(milliseconds: milliseconds)
    }

    /// Whether a text that names an instant is in the form of ISO 8601 that every parser reads: `T` and `Z` in capitals, hours
    /// up to 23, seconds up to 59, digits behind a point.
    public static func isStandard(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        func byte(_ index: Int) -> UInt8? { bytes.indices.contains(index) ? bytes[index] : nil }
        guard byte(10) == UInt8(ascii: "T"), !bytes.contains(UInt8(ascii: "z")),
            !bytes[11...].starts(with: "24".utf8)
        else { return false }
        // Only a leap second begins with a 6.
        if byte(16) == UInt8(ascii: ":"), byte(17) == UInt8(ascii: "6") { return false }
        guard let point = bytes.firstIndex(of: UInt8(ascii: ".")) else { return true }
        return byte(point + 1).map { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 } ?? false
    }

    /// Whether a text that names an instant has more of it than whole milliseconds.
    public static func isFinerThanMilliseconds(_ text: String) -> Bool {
        guard let point = text.utf8.firstIndex(of: UInt8(ascii: ".")) else { return false }
        let digits = text.utf8[point...].dropFirst().prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        return digits.dropFirst(3).contains { $0 != UInt8(ascii: "0") }
    }

    /// The milliseconds since 1970 of the instants that have a text which can be read again: the years 0000 to 9999.
    public static let writable: ClosedRange<Int64> = -62_167_219_200_000...253_402_300_799_999

    /// `YYYY-MM-DDThh:mm:ss.fffZ`.
    public var iso8601: String {
        var days = Int(milliseconds / 86_400_000)
        var rest = Int(milliseconds % 86_400_000)
        if rest < 0 {
            rest += 86_400_000
            days -= 1
        }
        let date = CivilDate(daysSince1970: days)
        return date.text + "T" + twoDigits(rest / 3_600_000) + ":" + twoDigits(rest / 60_000 % 60) + ":"
            + twoDigits(rest / 1000 % 60) + "." + padded(rest % 1000, 3) + "Z"
    }
}

/// A day of the proleptic Gregorian calendar.
public struct CivilDate: Sendable, Hashable {
    /// The year, 0–9999.
    public let year: Int
    /// The month, 1–12.
    public let month: Int
    /// The day of the month, 1–31.
    public let day: Int

    /// Makes a date; nil where no such day exists.
    public init?(year: Int, month: Int, day: Int) {
        guard (0...9999).contains(year), (1...12).contains(month), day >= 1,
            day <= CivilDate.length(year: year, month: month)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// The date that lies `daysSince1970` days after 1970-01-01 (Howard Hinnant's `civil_from_days`).
    public init(daysSince1970: Int) {
        let z = daysSince1970 + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shifted + 2) / 5 + 1
        month = shifted < 10 ? shifted + 3 : shifted - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Days since 1970-01-01 (`days_from_civil`).
    public var daysSince1970: Int {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// `YYYY-MM-DD`.
    public var text: String { padded(year, 4) + "-" + twoDigits(month) + "-" + twoDigits(day) }

    /// How many days a month has.
    public static func length(year: Int, month: Int) -> Int {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// Reads fixed groups of digits from ASCII text; what date and time forms are made of.
public struct DigitScanner {
    private let bytes: [UInt8]
    private var index = 0

    /// Starts at the first byte of `text`.
    public init(_ text: some StringProtocol) {
        bytes = Array(text.utf8)
    }

    /// Whether all was read.
    public var atEnd: Bool { index == bytes.count }

    /// Exactly `count` digits as a number, else nil.
    public mutating func digits(_ count: Int) -> Int? {
        guard index + count <= bytes.count else { return nil }
        var value = 0
        for byte in bytes[index..<index + count] {
            guard byte >= 48, byte <= 57 else { return nil }
            value = value * 10 + Int(byte - 48)
        }
        index += count
        return value
    }

    /// Takes one ASCII character if it comes next.
    public mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard index < bytes.count, bytes[index] == UInt8(truncatingIfNeeded: character.value) else { return false }
        index += 1
        return true
    }

    /// The digits of a fraction as a number of `places` digits; further digits are dropped.
    public mutating func fraction(places: Int) -> Int {
        var value = 0
        var taken = 0
        while index < bytes.count, bytes[index] >= 48, bytes[index] <= 57 {
            if taken < places {
                value = value * 10 + Int(bytes[index] - 48)
                taken += 1
            }
            index += 1
        }
        while taken < places {
            value *= 10
            taken += 1
        }
        return value
    }

    /// An offset in seconds: nothing or `Z` is 0, `±hh:mm[:ss]` its value; nil where malformed.
    public mutating func offsetSeconds() -> Int? {
        if atEnd || take("Z") || take("z") { return 0 }
        let sign = take("+") ? 1 : (take("-") ? -1 : 0)
        guard sign != 0, let hours = digits(2), take(":"), let minutes = digits(2), hours < 24, minutes < 60 else {
            return nil
        }
        var seconds = 0
        if take(":") {
            guard let s = digits(2), s < 60 else { return nil }
            seconds = s
        }
        return sign * (hours * 3600 + minutes * 60 + seconds)
    }
}

/// A number left-padded with zeros.
public func padded(_ value: Int, _ width: Int) -> String {
    let text = String(value)
    return text.count >= width ? text : String(repeating: "0", count: width - text.count) + text
}

func twoDigits(_ value: Int) -> String { padded(value, 2) }
