/// One GS1 application identifier: its digits and the shape of its data.
///
/// Facts from the GS1 syntax dictionary (Apache-2.0).
struct ApplicationIdentifier: Sendable, Hashable {
    /// One part of the data.
    struct Part: Sendable, Hashable {
        /// Which characters it may hold.
        enum Charset: Sendable { case digits, charset82, charset39, base64 }
        /// The characters.
        let charset: Charset
        /// How many characters it has.
        let lengths: ClosedRange<Int>
        /// Whether its last digit is a GS1 check digit.
        let hasCheckDigit: Bool
        /// Whether it is a date YYMMDD whose day may be 00.
        let isDate: Bool
        /// Whether it may be missing at the end.
        let isOptional: Bool
    }

    /// The two to four digits.
    let code: String
    /// The parts of the data in order.
    let parts: [Part]

    /// How many characters the data may have.
    var lengths: ClosedRange<Int> {
        let least = parts.reduce(0) { $0 + ($1.isOptional ? 0 : $1.lengths.lowerBound) }
        return least...parts.reduce(0) { $0 + $1.lengths.upperBound }
    }

    /// Whether the data's length is known beforehand, so that no separator need follow.
    var isPredefined: Bool { predefinedLength(of: code) != nil }

    /// Finds the identifier that data starts with.
    static func leading(_ bytes: ArraySlice<UInt8>) -> ApplicationIdentifier? {
        let prefix = bytes.prefix(4)
        guard prefix.count >= 2, prefix.prefix(2).allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
        for length in 2...4 where prefix.count >= length {
            if let found = table[String(decoding: prefix.prefix(length), as: UTF8.self)] { return found }
        }
        return nil
    }

    /// The identifier with these digits.
    static func named(_ code: String) -> ApplicationIdentifier? { table[code] }

    /// Every known identifier by its digits; no code is a prefix of another.
    private static let table: [String: ApplicationIdentifier] = {
        var result: [String: ApplicationIdentifier] = [:]
        for line in applicationIdentifierTable.split(separator: "\n") {
            let words = line.split(separator: " ")
            let parts = words.dropFirst().compactMap(Part.init)
            for code in expanded(words[0]) { result[code] = ApplicationIdentifier(code: code, parts: parts) }
        }
        return result
    }()

    /// `310n` is 3100 to 3105 (decimal places), `91-99` and `7230-7239` are ranges.
    private static func expanded(_ word: Substring) -> [String] {
        if word.hasSuffix("n") { return (0...5).map { "\(word.dropLast())\($0)" } }
        let ends = word.split(separator: "-").compactMap { Int($0) }
        guard ends.count == 2, ends[0] <= ends[1] else { return [String(word)] }
        return (ends[0]...ends[1]).map(String.init)
    }
}

extension ApplicationIdentifier.Part {
    /// Reads a shape such as `N14c` (check digit), `N6d` (date), `X..20`, `N6..12`, `[N4]`.
    init?(_ word: Substring) {
        var text = word
        isOptional = text.hasPrefix("[")
        text = text.filter { $0 != "[" && $0 != "]" }[...]
        switch text.first {
        case "N": charset = .digits
        case "X": charset = .charset82
        case "Y": charset = .charset39
        case "Z": charset = .base64
        default: return nil
        }
        hasCheckDigit = text.hasSuffix("c")
        isDate = text.hasSuffix("d")
        let numbers = text.dropFirst().filter { $0 != "c" && $0 != "d" }
        let ends = numbers.split(separator: ".").compactMap { Int($0) }
        guard let last = ends.last else { return nil }
        let first = numbers.hasPrefix("..") ? 1 : ends[0]
        lengths = first...last
    }

    /// Whether the part may hold this byte.
    func allows(_ byte: UInt8) -> Bool {
        switch charset {
        case .digits: byte >= 48 && byte <= 57
        case .charset82:
            switch byte {
            case 33, 34, 37...63, 65...90, 95, 97...122: true
            default: false
            }
        case .charset39:
            switch byte {
            case 35, 45, 47, 48...57, 65...90: true
            default: false
            }
        case .base64:
            switch byte {
            case 45, 48...57, 61, 65...90, 95, 97...122: true
            default: false
            }
        }
    }
}

/// How long an element of pre-defined length is, identifier included; nil where it ends at a separator.
func predefinedLength(of code: String) -> Int? {
    switch code.prefix(2) {
    case "00": 20
    case "01", "02", "03": 16
    case "04": 18
    case "11", "12", "13", "14", "15", "16", "17", "18", "19": 8
    case "20": 4
    case "31", "32", "33", "34", "35", "36": 10
    case "41": 16
    default: nil
    }
}

private let applicationIdentifierTable = """
    00 N18c
    01 N14c
    02 N14c
    03 N14c
    10 X..20
    11-13 N6d
    15-17 N6d
    20 N2
    21-22 X..20
    235 X..28
    240-241 X..30
    242 N..6
    243 X..20
    250-251 X..30
    253 N13c [X..17]
    254 X..20
    255 N13c [N..12]
    30 N..8
    310n N6
    311n N6
    312n N6
    313n N6
    314n N6
    315n N6
    316n N6
    320n N6
    321n N6
    322n N6
    323n N6
    324n N6
    325n N6
    326n N6
    327n N6
    328n N6
    329n N6
    330n N6
    331n N6
    332n N6
    333n N6
    334n N6
    335n N6
    336n N6
    337n N6
    340n N6
    341n N6
    342n N6
    343n N6
    344n N6
    345n N6
    346n N6
    347n N6
    348n N6
    349n N6
    350n N6
    351n N6
    352n N6
    353n N6
    354n N6
    355n N6
    356n N6
    357n N6
    360n N6
    361n N6
    362n N6
    363n N6
    364n N6
    365n N6
    366n N6
    367n N6
    368n N6
    369n N6
    37 N..8
    3900-3909 N..15
    3910-3919 N3 N..15
    3920-3929 N..15
    3930-3939 N3 N..15
    3940-3943 N4
    3950-3955 N6
    400-401 X..30
    402 N17c
    403 X..30
    410-417 N13c
    420 X..20
    421 N3 X..9
    422 N3
    423 N3 [N..12]
    424 N3
    425 N3 [N..12]
    426 N3
    427 X..3
    4300-4301 X..35
    4302-4306 X..70
    4307 X2
    4308 X..30
    4309 N20
    4310-4311 X..35
    4312-4316 X..70
    4317 X2
    4318 X..20
    4319 X..30
    4320 X..35
    4321-4323 N1
    4324-4325 N10
    4326 N6
    4330-4333 N6 [X1]
    7001 N13
    7002 X..30
    7003 N10
    7004 N..4
    7005 X..12
    7006 N6
    7007 N6..12
    7008 X..3
    7009 X..10
    7010 X..2
    7011 N6 [N4]
    7020-7022 X..20
    7023 X..30
    7030-7039 N3 X..27
    7040 X4
    7041 X..4
    710-717 X..20
    7230-7239 X2..30
    7240 X..20
    7241 N2
    7242 X..25
    7250 N8
    7251 N12
    7252 N1
    7253-7254 X..40
    7255 X..10
    7256 X..90
    7257 X..70
    7258 X3
    7259 X..40
    8001 N14
    8002 X..20
    8003 N14c [X..16]
    8004 X..30
    8005 N6
    8006 N14c N4
    8007 X..34
    8008 N8..12
    8009 X..50
    8010 Y..30
    8011 N..12
    8012 X..20
    8013 X..25
    8014 X..25
    8017-8018 N18c
    8019 N..10
    8020 X..25
    8026 N14c N4
    8030 Z..90
    8110 X..70
    8111 N4
    8112 X..70
    8200 X..70
    90 X..30
    91-99 X..90
    """
