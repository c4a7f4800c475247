/// Looks for the first position from `start` on that holds a quote, a backslash or a control character.
///
/// Eight bytes at a time: most text has nothing to escape, and JSON is read and written all day.
/// - Returns: the position, `bytes.count` where there is none; and whether all before it is ASCII, which needs no
///   validation.
package func endOfPlainJSONText(
    _ bytes: UnsafeBufferPointer<UInt8>, from start: Int
) -> (end: Int, isASCII: Bool) {
    var index = start
    let end = bytes.count
    let raw = UnsafeRawBufferPointer(bytes)
    var bits: UInt64 = 0
    while index + 8 <= end {
        let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        let quotes = word ^ 0x2222_2222_2222_2222
        let slashes = word ^ 0x5C5C_5C5C_5C5C_5C5C
        // (x - n) & ~x has a byte's high bit set where the byte is below n; a borrow makes false alarms only above a true
        // one, whose place is looked for below.
        let found =
            ((word &- 0x2020_2020_2020_2020) & ~word) | ((quotes &- 0x0101_0101_0101_0101) & ~quotes)
            | ((slashes &- 0x0101_0101_0101_0101) & ~slashes)
        if found & 0x8080_8080_8080_8080 != 0 { break }
        bits |= word
        index += 8
    }
    var last: UInt8 = 0
    while index < end {
        let byte = bytes[index]
        if byte < 32 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
        last |= byte
        index += 1
    }
    return (index, bits & 0x8080_8080_8080_8080 == 0 && last < 0x80)
}
