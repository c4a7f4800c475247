/// A key as the terminal sent it, before or after the input decoder.
public enum Key: Hashable, Sendable {
    /// A printable character.
    case character(Character)
    /// Enter (carriage return).
    case enter
    /// The key that rubs out to the left.
    case backspace
    /// Tab.
    case tab
    /// Shift and Tab.
    case backTab
    /// Escape.
    case escape
    /// An arrow.
    case up, down, left, right
    /// The keys of the editing block.
    case home, end, pageUp, pageDown, insert, delete
    /// F1 to F24.
    case function(Int)
    /// A control byte with no key of its own (GS is 0x1D); scanners send them inside codes.
    case control(UInt8)
    /// The terminal says that a paste begins.
    case pasteStart
    /// The terminal says that the paste ended.
    case pasteEnd
}

extension Key {
    /// Reads a key's name as screen files and key scripts write it: `Enter`, `Esc`, `F3`, `Space`, `PgUp`, `A`, `?`.
    public init?(name: some StringProtocol) {
        switch name {
        case "Enter": self = .enter
        case "Esc": self = .escape
        case "Tab": self = .tab
        case "BackTab": self = .backTab
        case "Backspace": self = .backspace
        case "Delete": self = .delete
        case "Insert": self = .insert
        case "Up": self = .up
        case "Down": self = .down
        case "Left": self = .left
        case "Right": self = .right
        case "Home": self = .home
        case "End": self = .end
        case "PgUp": self = .pageUp
        case "PgDn": self = .pageDown
        case "Space": self = .character(" ")
        default:
            if name.first == "F", name.count > 1, let number = Int(name.dropFirst()), (1...24).contains(number) {
                self = .function(number)
            } else if name.count == 1, let character = name.first, character != " " {
                self = .character(character)
            } else {
                return nil
            }
        }
    }

    /// The key's name, as ``init(name:)`` reads it where it has one.
    public var name: String {
        switch self {
        case .character(" "): "Space"
        case .character(let character): String(character)
        case .enter: "Enter"
        case .backspace: "Backspace"
        case .tab: "Tab"
        case .backTab: "BackTab"
        case .escape: "Esc"
        case .up: "Up"
        case .down: "Down"
        case .left: "Left"
        case .right: "Right"
        case .home: "Home"
        case .end: "End"
        case .pageUp: "PgUp"
        case .pageDown: "PgDn"
        case .insert: "Insert"
        case .delete: "Delete"
        case .function(let number): "F\(number)"
        case .control(let byte): "^\(Character(Unicode.Scalar(byte & 0x1F | 0x40)))"
        case .pasteStart: "PasteStart"
        case .pasteEnd: "PasteEnd"
        }
    }
}
