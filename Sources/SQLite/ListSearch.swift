import Basics
import CSQLite

/// Lists of text, kept as JSON, searched for an element: in SQL the function `listholds`.
///
/// SQLite's own `json_each` ends a text at its first NUL; this is for lists that hold one.
enum ListSearch {
    /// Whether a list has this text; or, with `ignoringCase`, one that has it as a part, the text being folded already.
    static func holds(_ list: String, _ text: String, ignoringCase: Bool) -> Bool {
        let elements = (try? JSONValue(parsing: list))?.array ?? []
        return elements.lazy.compactMap(\.string).contains { element in
            ignoringCase ? CaseFolding.folded(element).includes(text) : element.hasSameBytes(as: text)
        }
    }

    /// Makes `listholds(list, text, ignoringCase)` known to a connection; null holds nothing.
    static func register(on database: OpaquePointer) {
        let flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY
        sqlite3_create_function_v2(
            database, "listholds", 3, flags, nil,
            { context, _, arguments in
                guard let context, let arguments else { return }
                func text(_ index: Int) -> String? {
                    guard let argument = arguments[index], let text = sqlite3_value_text(argument) else { return nil }
                    let bytes = UnsafeBufferPointer(start: text, count: Int(sqlite3_value_bytes(argument)))
                    return String(decoding: bytes, as: UTF8.self)
                }
                guard let list = text(0), let part = text(1) else { return sqlite3_result_int(context, 0) }
                let ignoringCase = sqlite3_value_int(arguments[2]) != 0
                sqlite3_result_int(context, ListSearch.holds(list, part, ignoringCase: ignoringCase) ? 1 : 0)
            }, nil, nil, nil)
    }
}
