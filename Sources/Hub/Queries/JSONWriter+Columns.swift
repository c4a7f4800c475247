import Basics
import Models

extension JSONWriter {
    /// Appends valid UTF-8 as a string with quotes and escapes.
    mutating func quoted(_ text: UnsafeBufferPointer<UInt8>) {
        bytes.append(UInt8(ascii: "\""))
        var needsEscape = false
        for byte in text where byte < 32 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
            needsEscape = true
            break
        }
        if needsEscape {
            bytes.removeLast()
            string(String(decoding: text, as: UTF8.self))
            return
        }
        bytes.append(contentsOf: text)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends an instant as `"2026-11-21T09:41:00.000Z"`, without making a string of it.
    mutating func dateTime(_ milliseconds: Int64) {
        var days = Int(milliseconds / 86_400_000)
        var rest = Int(milliseconds % 86_400_000)
        if rest < 0 {
            rest += 86_400_000
            days -= 1
        }
        let date = CivilDate(daysSince1970: days)
        guard (0...9999).contains(date.year) else {
            string(DateTime(milliseconds: milliseconds).iso8601)
            return
        }
        bytes.append(UInt8(ascii: "\""))
        digits(date.year, 4)
        bytes.append(UInt8(ascii: "-"))
        digits(date.month, 2)
        bytes.append(UInt8(ascii: "-"))
        digits(date.day, 2)
        bytes.append(UInt8(ascii: "T"))
        digits(rest / 3_600_000, 2)
        bytes.append(UInt8(ascii: ":"))
        digits(rest / 60_000 % 60, 2)
        bytes.append(UInt8(ascii: ":"))
        digits(rest / 1000 % 60, 2)
        bytes.append(UInt8(ascii: "."))
        digits(rest % 1000, 3)
        bytes.append(UInt8(ascii: "Z"))
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func digits(_ value: Int, _ width: Int) {
        var scale = 1
        for _ in 1..<width { scale *= 10 }
        var rest = value
        while scale > 0 {
            bytes.append(48 + UInt8(truncatingIfNeeded: rest / scale % 10))
            rest %= scale
            scale /= 10
        }
    }

    /// Appends a fixed-point decimal as the shortest number.
    mutating func decimal(_ units: Int64, places: Int) {
        let scale = powerOfTen(places)
        if units % scale == 0 { integer(units / scale) } else { raw(decimalText(units, places: places)) }
    }
}
