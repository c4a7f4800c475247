/// How a cell is drawn; colour is never used, since it must not carry meaning alone.
public struct Style: OptionSet, Hashable, Sendable {
    /// The bits, one a property.
    public let rawValue: UInt8

    /// Makes a style from its bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Brighter or heavier.
    public static let bold = Style(rawValue: 1)
    /// Light and dark exchanged.
    public static let reverse = Style(rawValue: 2)
    /// Underlined; inputs are drawn so.
    public static let underline = Style(rawValue: 4)
    /// Fainter, for what is not asked for now.
    public static let dim = Style(rawValue: 8)
    /// Blinking; only for an error that stops the work.
    public static let blink = Style(rawValue: 16)
    /// Nothing special.
    public static let plain: Style = []

    /// The letter that stands for this style in a printed style block: `.` for plain, `b r u d k` for one property,
    /// and a capital or digit for the mixtures.
    public var letter: Character {
        switch self {
        case []: "."
        case .bold: "b"
        case .reverse: "r"
        case .underline: "u"
        case .dim: "d"
        case .blink: "k"
        case [.bold, .reverse]: "B"
        case [.bold, .underline]: "U"
        case [.reverse, .underline]: "R"
        case [.bold, .reverse, .blink]: "K"
        default: "*"
        }
    }

    /// The style that a word in a screen file names.
    init?(word: some StringProtocol) {
        switch word {
        case "bold": self = .bold
        case "reverse": self = .reverse
        case "underline": self = .underline
        case "dim": self = .dim
        case "blink": self = .blink
        default: return nil
        }
    }
}
