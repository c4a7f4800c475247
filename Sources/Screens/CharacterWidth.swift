/// How many columns a character takes, independent of the process's locale.
public enum CharacterWidth {
    /// 0 for a combining mark, 1, or 2; -1 for what a screen never shows: controls, surrogates' relatives and the
    /// invisible format characters that could reverse or hide text.
    public static func of(_ scalar: Unicode.Scalar) -> Int {
        let value = scalar.value
        if value < 0x7F { return value < 0x20 ? -1 : 1 }
        if value < 0xA0 { return -1 }
        if value < 0x300 { return value == 0xAD ? -1 : 1 }
        if isInvisible(value) { return -1 }
        if find(value, in: CharacterWidthTable.combining) { return 0 }
        if value >= 0x1100, find(value, in: CharacterWidthTable.wide) { return 2 }
        return 1
    }

    /// The columns a text takes; what is never shown takes none.
    public static func of(_ text: some StringProtocol) -> Int {
        var width = 0
        for scalar in text.unicodeScalars { width += max(0, of(scalar)) }
        return width
    }

    /// Zero-width spaces and joiners, direction marks and overrides, variation selectors, line separators, tags, and
    /// what is no character at all.
    private static func isInvisible(_ value: UInt32) -> Bool {
        switch value {
        case 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFE00...0xFE0F, 0xFEFF, 0xFFF9...0xFFFB,
            0xFFFE, 0xFFFF, 0x061C, 0x180B...0x180F, 0xE0000...0xE0FFF, 0xE000...0xF8FF, 0xF0000...0x10FFFF:
            true
        default: false
        }
    }

    private static func find(_ value: UInt32, in table: [UInt32]) -> Bool {
        table.withUnsafeBufferPointer { table in
            var low = 0
            var high = table.count / 2
            while low < high {
                let middle = (low + high) / 2
                if value < table[2 * middle] {
                    high = middle
                } else if value > table[2 * middle + 1] {
                    low = middle + 1
                } else {
                    return true
                }
            }
            return false
        }
    }
}
