/// What a field is.
public enum FieldKind: String, CaseIterable, Hashable, Sendable {
    /// A text of the catalog, its placeholders filled from bindings.
    case text
    /// A value that is shown.
    case value
    /// A value that is typed or scanned.
    case input
    /// A column of a list.
    case list
    /// A column of a list whose rows the digits 1 to 9 choose.
    case choice
    /// What the focused input wants.
    case hint
    /// The message line.
    case message
    /// The keys that can be pressed.
    case keybar
    /// A number in digits of five rows.
    case big
    /// A bar, one cell for several places.
    case strip
}

/// A word after a field's `|`: `right`, `max=12`, `hide=20x16`, `right@80x24`.
struct FieldFlag: Hashable, Sendable {
    var name: String
    var value: String
    /// The layout it holds for; nil for all.
    var size: GridSize?
}

/// One line of `@fields`.
struct Field: Hashable, Sendable {
    var tag: String
    var kind: FieldKind
    /// The path of the value in the app; empty for a text. A list's ends with the column.
    var binding: String
    /// The catalog's key for the text; empty when there is none.
    var textKey: String
    var flags: [FieldFlag]
    var line: Int

    /// The binding of the whole list: the path without the column.
    var listBinding: String {
        guard let dot = binding.lastIndex(of: ".") else { return binding }
        return String(binding[..<dot])
    }

    /// The column of a list.
    var column: String {
        guard let dot = binding.lastIndex(of: ".") else { return binding }
        return String(binding[binding.index(after: dot)...])
    }

    var isColumn: Bool { kind == .list || kind == .choice }

    /// The value of a flag that holds for a layout; empty for a flag without one, nil where it is not set.
    func flag(_ name: String, at size: GridSize) -> String? {
        var found: String?
        for flag in flags where flag.name == name {
            if flag.size == size { return flag.value }
            if flag.size == nil { found = flag.value }
        }
        return found
    }

    /// The layouts that do not draw this field and say so.
    var hidden: [GridSize] {
        flags.filter { $0.name == "hide" }.flatMap { $0.value.split(separator: ",").compactMap { GridSize($0) } }
    }
}

/// A place for a field in a picture row.
struct Slot: Hashable, Sendable {
    var tag: String
    var column: Int
    var width: Int
}

/// A piece of fixed text in a picture row, and the columns that a translation may use.
struct Label: Hashable, Sendable {
    var text: String
    var column: Int
    var room: Int
}

/// How often a picture row is drawn.
enum RowCount: Hashable, Sendable {
    case times(Int)
    /// As often as fills the height; at least once for a row with content, never for a lone `:`.
    case stretch
}

/// One row of a picture.
struct PictureRow: Hashable, Sendable {
    var count: RowCount
    var labels: [Label]
    var slots: [Slot]
    /// Whether this is a lone `:`.
    var isBlank: Bool
    var line: Int
}

/// One exact picture of a screen.
struct Layout: Hashable, Sendable {
    var size: GridSize
    var rows: [PictureRow]
    /// The screen whose picture of this size is used instead; empty for a picture of its own.
    var shared: String
    var line: Int
    /// The file that the rows and fields stand in.
    var file: String
    /// The fields, after linking; by tag.
    var fields: [Field]
}

/// A key, or several, and the action they start.
public struct KeyBinding: Hashable, Sendable {
    /// The key's name in the file: `Enter`, `F3`, `E`, `1-9`.
    public let name: String
    /// The keys that are meant.
    public let keys: [Key]
    /// The action's id.
    public let action: String
    /// The catalog's key for what it does, for the help page; empty when it is not listed.
    public let label: String
    let line: Int
}

/// What a screen does with a kind of scan.
public enum ScanRule: String, CaseIterable, Hashable, Sendable {
    /// Uses it.
    case take
    /// Keeps it and says so, until the screen's own question is answered.
    case hold
    /// Refuses it aloud.
    case refuse
}

/// A message that a screen can show.
public struct MessageDeclaration: Hashable, Sendable {
    /// How weighty it is.
    public let kind: MessageKind
    /// The catalog's key for its text.
    public let textKey: String
    let line: Int
}

/// One screen as its file describes it: its pictures, keys, scans and messages.
public struct Screen: Sendable {
    /// The name after `@screen`.
    public let name: String
    /// The file it came from.
    public let file: String
    /// The keys, the common ones last.
    public internal(set) var keys: [KeyBinding]
    /// What it does with scans by kind; `any` stands for the kinds not named.
    public internal(set) var scans: [String: ScanRule]
    /// The messages by id, the common ones included.
    public internal(set) var messages: [String: MessageDeclaration]
    /// The pictures, largest first.
    var layouts: [Layout]
    /// Compiled pictures by language and size; made when first asked for.
    let drawings = DrawingCache()
    /// The texts of each language.
    var catalogs: [String: Catalog] = [:]
    let line: Int

    /// The sizes it is drawn for, largest first.
    public var sizes: [GridSize] { layouts.map(\.size) }

    /// The largest declared size that fits; nil when even the smallest is too large.
    public func layoutSize(for size: GridSize) -> GridSize? { sizes.first { $0.fits(in: size) } }

    /// What a key starts here.
    public func action(for key: Key) -> String? {
        keys.first { $0.keys.contains(key) }?.action
    }

    /// What a typed command such as `E` starts here, whatever its case.
    public func action(command: String) -> String? {
        guard command.count == 1, let letter = command.uppercased().first else { return nil }
        return action(for: .character(letter))
    }

    /// What happens to a scan of a kind.
    public func rule(forScan kind: String) -> ScanRule { scans[kind] ?? scans["any"] ?? .refuse }
}
