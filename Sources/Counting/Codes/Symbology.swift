/// The symbology identifier (ISO/IEC 15424) that a scanner may send in front of the data.
public enum Symbology {
    /// Splits `]C1…` into the identifier and the data; the identifier is nil where there is none.
    public static func split(_ raw: [UInt8]) -> (identifier: String?, data: [UInt8]) {
        guard raw.count >= 3, raw[0] == UInt8(ascii: "]"), isLetter(raw[1]), isLetter(raw[2]) || isDigit(raw[2]) else {
            return (nil, raw)
        }
        return (String(decoding: raw[0..<3], as: UTF8.self), Array(raw[3...]))
    }

    /// Whether the symbol says that its data are GS1 element strings.
    public static func saysGS1(_ identifier: String) -> Bool {
        ["]C1", "]e0", "]d2", "]Q3", "]J1"].contains(identifier)
    }

    /// Whether it is an EAN or UPC symbol, whose digits are always a GTIN.
    public static func isRetail(_ identifier: String) -> Bool { identifier.hasPrefix("]E") }

    private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
}
