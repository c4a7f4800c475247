/// A Global Trade Item Number, kept as 14 digits, which is how numbers of all lengths compare.
public struct GTIN: Sendable, Hashable, CustomStringConvertible {
    /// Fourteen digits, the last a valid check digit.
    public let digits: String

    /// Reads a GTIN of 8, 12, 13 or 14 digits; nil where it is none or its check digit is wrong.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard [8, 12, 13, 14].contains(bytes.count), bytes.allSatisfy({ $0 >= 48 && $0 <= 57 }),
            GTIN.hasValidCheckDigit(bytes)
        else { return nil }
        digits = String(repeating: "0", count: 14 - bytes.count) + String(text)
    }

    /// Reads a UPC-E of 8 digits (number system, six digits, check digit), or of its 6 or 7 digits without check digit.
    public init?(upcE text: some StringProtocol) {
        guard let upcA = GTIN.expandUPCE(text) else { return nil }
        self.init(upcA)
    }

    /// The packaging level: 0 is the base unit, 1–8 a case of it, 9 a variable measure.
    public var indicator: Int { Int(digits.utf8.first ?? 48) - 48 }

    /// Whether a weight, a length or a count must come with it.
    public var isVariableMeasure: Bool { indicator == 9 }

    /// The item that an indicator of 1–8 is a case of: indicator 0 and a new check digit.
    ///
    /// Only master data may say that two numbers belong together; this is how a proposal is found.
    public var base: GTIN {
        guard indicator != 0 else { return self }
        let payload = "0" + digits.dropFirst().dropLast()
        return GTIN(payload + GTIN.checkDigit(for: payload.utf8)) ?? self
    }

    /// The digits without leading zeros that no shorter form has: 8, 12, 13 or 14 of them.
    public var shortest: String {
        let zeros = digits.utf8.prefix { $0 == 48 }.count
        let length = [8, 12, 13].first { 14 - zeros <= $0 } ?? 14
        return String(digits.suffix(length))
    }

    /// The digits.
    public var description: String { digits }

    /// The check digit that completes a payload of digits: modulo 10, weights 3 and 1 from the right.
    public static func checkDigit(for payload: some BidirectionalCollection<UInt8>) -> String {
        var sum = 0
        for (position, byte) in payload.reversed().enumerated() {
            sum += (Int(byte) - 48) * (position % 2 == 0 ? 3 : 1)
        }
        return String((10 - sum % 10) % 10)
    }

    /// Whether the last digit is the check digit of the others; true for any GS1 key with a check digit at its end.
    public static func hasValidCheckDigit(_ bytes: some BidirectionalCollection<UInt8>) -> Bool {
        guard let last = bytes.last, bytes.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return false }
        return checkDigit(for: bytes.dropLast()) == String(UnicodeScalar(last))
    }

    /// The UPC-A of 12 digits that a UPC-E stands for; nil where it is none.
    public static func expandUPCE(_ text: some StringProtocol) -> String? {
        var d = Array(text.utf8)
        guard d.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
        if d.count == 6 { d.insert(48, at: 0) }
        guard d.count == 7 || d.count == 8, d[0] == 48 || d[0] == 49 else { return nil }
        let body = d[1...6].map { String(UnicodeScalar($0)) }
        let (a, b, c, e, f, last) = (body[0], body[1], body[2], body[3], body[4], body[5])
        let payload: String
        switch last {
        case "0", "1", "2": payload = a + b + last + "0000" + c + e + f
        case "3": payload = a + b + c + "00000" + e + f
        case "4": payload = a + b + c + e + "00000" + f
        default: payload = a + b + c + e + f + "0000" + last
        }
        let number = String(UnicodeScalar(d[0])) + payload
        let check = checkDigit(for: number.utf8)
        guard d.count == 7 || check == String(UnicodeScalar(d[7])) else { return nil }
        return number + check
    }
}

/// The form in which codes are compared and kept in `Barcode.value`: a GTIN of any length as 14 digits, anything else
/// without outer blanks and in upper case.
public func normalisedCode(_ text: String) -> String {
    var slice = Substring(text)
    while let first = slice.first, first.isWhitespace { slice.removeFirst() }
    while let last = slice.last, last.isWhitespace { slice.removeLast() }
    if let gtin = GTIN(slice) { return gtin.digits }
    return slice.uppercased()
}
