extension GS1Reader {
    /// Reads a GS1 Digital Link address; nil where the text is no web address at all.
    ///
    /// The primary key is the rightmost known key of the path; its qualifiers must follow in their order; other
    /// identifiers stand in the query. Unknown query words are ignored.
    public func digitalLink(_ raw: [UInt8]) -> GS1Message? {
        let text = String(decoding: Symbology.split(raw).data, as: UTF8.self)
        guard let scheme = ["https://", "http://", "HTTPS://", "HTTP://"].first(where: text.hasPrefix) else {
            return nil
        }
        func failed(_ reason: String) -> GS1Message {
            message(raw: raw, elements: [], flags: [.malformed(position: 0, reason: reason)])
        }
        let withoutFragment = text.dropFirst(scheme.count).prefix { $0 != "#" }
        let address = withoutFragment.prefix { $0 != "?" }
        let query = withoutFragment.dropFirst(address.count + 1)
        var path = address.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        while path.last == "" { path.removeLast() }
        guard let start = primaryKey(in: path) else { return failed("no GS1 key in the address") }
        var found: [GS1Element] = []
        var order = qualifierOrder(of: alias(path[start]))[...]
        for index in stride(from: start, to: path.count, by: 2) {
            let identifier = alias(path[index])
            guard let value = percentDecoded(path[index + 1]) else { return failed("a broken % escape") }
            if index > start {
                guard let position = order.firstIndex(of: identifier) else {
                    return failed("(\(identifier)) cannot stand there")
                }
                order = order[(position + 1)...]
            }
            found.append(GS1Element(identifier, identifier == "01" ? paddedGTIN(value) : value))
        }
        for pair in query.split(whereSeparator: { $0 == "&" || $0 == ";" }) {
            let name = alias(String(pair.prefix { $0 != "=" }))
            guard ApplicationIdentifier.named(name) != nil, pair.contains("=") else { continue }
            guard let value = percentDecoded(String(pair.drop { $0 != "=" }.dropFirst())) else {
                return failed("a broken % escape")
            }
            found.append(GS1Element(name, name == "01" || name == "02" ? paddedGTIN(value) : value))
        }
        for element in found {
            guard let identifier = ApplicationIdentifier.named(element.identifier) else { continue }
            if let reason = problem(of: Array(element.value.utf8)[...], in: identifier) {
                return failed("(\(element.identifier)) \(reason)")
            }
        }
        return message(raw: raw, elements: found, flags: [], searchesSwallowed: false)
    }

    private func primaryKey(in path: [String]) -> Int? {
        path.indices.reversed().first { index in
            (path.count - index) % 2 == 0 && qualifiers[alias(path[index])] != nil
        }
    }

    private func qualifierOrder(of key: String) -> [String] { qualifiers[key] ?? [] }

    private func alias(_ word: String) -> String { aliases[word] ?? word }

    private func paddedGTIN(_ value: String) -> String {
        [8, 12, 13].contains(value.utf8.count) ? String(repeating: "0", count: 14 - value.utf8.count) + value : value
    }

    private func percentDecoded(_ text: String) -> String? {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%") {
                guard index + 2 < bytes.count,
                    let value = UInt8(String(decoding: bytes[(index + 1)...(index + 2)], as: UTF8.self), radix: 16)
                else { return nil }
                result.append(value)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// The primary keys and the qualifiers that may follow each, in order.
private let qualifiers: [String: [String]] = [
    "00": [], "01": ["22", "10", "21", "235"], "8006": ["22", "10", "21"], "8013": [], "8010": ["8011"],
    "410": [], "411": [], "412": [], "413": [], "415": ["8020"], "416": [], "414": ["254", "7040"], "417": ["7040"],
    "8017": ["8019"], "8018": ["8019"], "255": [], "253": [], "401": [], "402": [], "8003": [], "8004": [],
]

/// Words that old versions of the standard had for identifiers.
private let aliases: [String: String] = [
    "gtin": "01", "sscc": "00", "lot": "10", "ser": "21", "cpv": "22", "gln": "414", "itip": "8006",
]
