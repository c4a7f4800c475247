import CSQLite

/// Texts without their case, for comparisons that ignore it: in Swift and, as the function `casefold`, in SQL, by the same
/// code.
///
/// Each character is made what the capital of its small letter is in small letters, by Unicode's full mappings and in no
/// language's own way: so `ß` and `ẞ`, which has no capital but itself, are `ss`, and the two small sigmas are one. Accents
/// stay.
public enum CaseFolding {
    /// A text without its case.
    public static func folded(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 128 }) {
            return String(decoding: text.utf8.map(small), as: UTF8.self)
        }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if scalar.isASCII {
                result.append(Unicode.Scalar(small(UInt8(truncatingIfNeeded: scalar.value))))
            } else {
                for letter in scalar.properties.lowercaseMapping.unicodeScalars {
                    for capital in letter.properties.uppercaseMapping.unicodeScalars {
                        result.append(contentsOf: capital.properties.lowercaseMapping.unicodeScalars)
                    }
                }
            }
        }
        return String(result)
    }

    /// One of ASCII's bytes.
    private static func small(_ byte: UInt8) -> UInt8 { byte &- 65 < 26 ? byte | 32 : byte }

    /// Makes `casefold(text)` known to a connection; null stays null.
    static func register(on database: OpaquePointer) {
        let flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY
        sqlite3_create_function_v2(
            database, "casefold", 1, flags, nil,
            { context, _, arguments in
                guard let context, let argument = arguments?[0], let text = sqlite3_value_text(argument) else { return }
                let bytes = UnsafeBufferPointer(start: text, count: Int(sqlite3_value_bytes(argument)))
                if bytes.allSatisfy({ $0 < 128 && $0 &- 65 >= 26 }) { return sqlite3_result_value(context, argument) }
                var folded = CaseFolding.folded(String(decoding: bytes, as: UTF8.self))
                folded.withUTF8 { csqlite_result_text_copying(context, $0.baseAddress, Int32($0.count)) }
            }, nil, nil, nil)
    }
}
