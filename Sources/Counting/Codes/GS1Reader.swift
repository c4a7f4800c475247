/// Reads GS1 element strings in every form that scanners send them.
///
/// Never fails: what cannot be read stands as a flag, and the raw bytes stay in the message.
public struct GS1Reader: Sendable {
    /// The current year, which two-digit years are read around.
    public let year: Int
    /// Bytes that stand for the separator GS beside GS itself; none of the defaults can occur in GS1 data.
    public let separators: Set<UInt8>

    /// Makes a reader.
    public init(year: Int, separators: Set<UInt8> = Set("~|^".utf8)) {
        self.year = year
        self.separators = separators.union([0x1D])
    }

    /// Reads an element string; a symbology identifier in front and leading separators are skipped.
    public func elementString(_ raw: [UInt8]) -> GS1Message {
        let data = withSeparatorWords(replaced: Symbology.split(raw).data)
        let parsed = elements(of: data[...])
        return message(raw: raw, elements: parsed.elements, flags: parsed.flags)
    }

    /// Reads the human-readable form `(01)04006381333931(10)A77`; nil where it is none.
    public func bracketed(_ raw: [UInt8]) -> GS1Message? {
        let data = Symbology.split(raw).data
        guard data.first == UInt8(ascii: "(") else { return nil }
        var found: [GS1Element] = []
        var flags: [GS1Flag] = []
        var index = 0
        while let opened = bracket(in: data, at: index) {
            var end = opened.end
            while end < data.count, bracket(in: data, at: end) == nil { end += 1 }
            let value = Array(data[opened.end..<end])
            if let reason = problem(of: value[...], in: opened.identifier) {
                flags.append(.malformed(position: opened.end, reason: reason))
            }
            found.append(GS1Element(opened.identifier.code, String(decoding: value, as: UTF8.self)))
            index = end
        }
        return found.isEmpty ? nil : message(raw: raw, elements: found, flags: flags)
    }

    /// Other readings of a message whose separator after a lot or a serial may have been lost.
    ///
    /// Each takes a shorter value and reads the tail as elements. They are proposals: offer one where master data knows
    /// the shorter value, never take one silently.
    public func alternatives(to message: GS1Message) -> [GS1Message] {
        guard let last = message.elements.last, let identifier = ApplicationIdentifier.named(last.identifier),
            !identifier.isPredefined
        else { return [] }
        let bytes = Array(last.value.utf8)
        return (1..<max(bytes.count, 1)).compactMap { length in
            let tail = elements(of: bytes[length...])
            guard tail.flags.isEmpty, !tail.elements.isEmpty,
                problem(of: bytes[..<length], in: identifier) == nil,
                tail.elements.allSatisfy({ element in message[element.identifier] == nil })
            else { return nil }
            let short = GS1Element(last.identifier, String(decoding: bytes[..<length], as: UTF8.self))
            let reading = self.message(
                raw: message.raw, elements: message.elements.dropLast() + [short] + tail.elements, flags: [],
                searchesSwallowed: false)
            return reading.flags.isEmpty ? reading : nil
        }
    }

    /// Makes a message of elements and finds its flags.
    func message(
        raw: [UInt8], elements: [GS1Element], flags: [GS1Flag], searchesSwallowed: Bool = true
    ) -> GS1Message {
        let flags = flags + contentFlags(elements)
        let plain = GS1Message(raw: raw, elements: elements, flags: flags, year: year)
        guard searchesSwallowed, flags.isEmpty, let last = elements.last, last.value.utf8.count > 4,
            ["10", "21"].contains(last.identifier), !alternatives(to: plain).isEmpty
        else { return plain }
        return GS1Message(
            raw: raw, elements: elements, flags: flags + [.swallowedElements(last.identifier)], year: year)
    }

    private func elements(of data: ArraySlice<UInt8>) -> (elements: [GS1Element], flags: [GS1Flag]) {
        var found: [GS1Element] = []
        var index = data.startIndex
        while index < data.endIndex {
            if separators.contains(data[index]) {
                index += 1
                continue
            }
            let position = index - data.startIndex
            guard let identifier = ApplicationIdentifier.leading(data[index...]) else {
                return (found, [.malformed(position: position, reason: "no application identifier")])
            }
            let start = index + identifier.code.utf8.count
            let limit: Int
            if let total = predefinedLength(of: identifier.code) {
                limit = min(index + total, data.endIndex)
            } else {
                limit = data[start...].firstIndex(where: separators.contains) ?? data.endIndex
            }
            let value = data[start..<limit]
            if let reason = problem(of: value, in: identifier) {
                return (found, [.malformed(position: position, reason: "(\(identifier.code)) \(reason)")])
            }
            found.append(GS1Element(identifier.code, String(decoding: value, as: UTF8.self)))
            index = limit
        }
        return (found, [])
    }

    /// What is wrong with the data of an identifier: its length or its characters; nil where nothing is.
    func problem(of value: ArraySlice<UInt8>, in identifier: ApplicationIdentifier) -> String? {
        guard identifier.lengths.contains(value.count) else {
            return "has \(value.count) characters instead of \(describe(identifier.lengths))"
        }
        var index = value.startIndex
        for part in identifier.parts {
            let end = min(index + part.lengths.upperBound, value.endIndex)
            guard value[index..<end].allSatisfy(part.allows) else { return "has a character that cannot stand there" }
            index = end
        }
        return nil
    }

    private func describe(_ lengths: ClosedRange<Int>) -> String {
        lengths.count == 1 ? "\(lengths.lowerBound)" : "\(lengths.lowerBound) to \(lengths.upperBound)"
    }

    private func bracket(in data: [UInt8], at index: Int) -> (identifier: ApplicationIdentifier, end: Int)? {
        guard index < data.count, data[index] == UInt8(ascii: "("),
            let close = data[index...].prefix(6).firstIndex(of: UInt8(ascii: ")")),
            let identifier = ApplicationIdentifier.named(String(decoding: data[(index + 1)..<close], as: UTF8.self))
        else { return nil }
        return (identifier, close + 1)
    }

    /// Scanners that cannot send control characters spell them out.
    private func withSeparatorWords(replaced data: [UInt8]) -> [UInt8] {
        guard data.contains(UInt8(ascii: "{")) || data.contains(UInt8(ascii: "<")) else { return data }
        let words = ["{GS}", "<GS>", "{FNC1}", "<FNC1>", "{gs}", "<gs>"].map { Array($0.utf8) }
        var result: [UInt8] = []
        var index = 0
        while index < data.count {
            if let word = words.first(where: { data[index...].starts(with: $0) }) {
                result.append(0x1D)
                index += word.count
            } else {
                result.append(data[index])
                index += 1
            }
        }
        return result
    }
}
