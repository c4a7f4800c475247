extension GS1Reader {
    /// What the contents of a message contradict: check digits, dates, and identifiers that need or exclude others.
    func contentFlags(_ elements: [GS1Element]) -> [GS1Flag] {
        var flags: [GS1Flag] = []
        var values: [String: String] = [:]
        for element in elements {
            if let known = values[element.identifier] {
                if known != element.value { flags.append(.contradiction(element.identifier)) }
            } else {
                values[element.identifier] = element.value
            }
            flags += partFlags(element)
        }
        let has = { (identifier: String) in values[identifier] != nil }
        if has("01"), has("37") { flags.append(.excluded("01", "37")) }
        if has("01"), has("02") { flags.append(.excluded("01", "02")) }
        if has("37"), !has("02"), !has("01") { flags.append(.missing("02", neededBy: "37")) }
        if has("02"), !has("37") { flags.append(.missing("37", neededBy: "02")) }
        let item = has("01") || has("03") || has("8006")
        if has("21"), !item { flags.append(.missing("01", neededBy: "21")) }
        if has("30"), !item, !has("02") { flags.append(.missing("01", neededBy: "30")) }
        if has("254"), !has("414") { flags.append(.missing("414", neededBy: "254")) }
        return flags
    }

    private func partFlags(_ element: GS1Element) -> [GS1Flag] {
        guard let identifier = ApplicationIdentifier.named(element.identifier) else { return [] }
        var flags: [GS1Flag] = []
        var rest = Array(element.value.utf8)[...]
        for part in identifier.parts {
            let piece = rest.prefix(part.lengths.upperBound)
            rest = rest.dropFirst(piece.count)
            if part.hasCheckDigit, !piece.isEmpty, !GTIN.hasValidCheckDigit(piece) {
                flags.append(.badCheckDigit(element.identifier))
            }
            let text = String(decoding: piece, as: UTF8.self)
            if part.isDate, gs1Date(text, year: year, allowsMonth: true) == nil {
                flags.append(.badDate(element.identifier))
            }
        }
        if ["7003", "7006"].contains(element.identifier), gs1Date(element.value.prefix(6), year: year) == nil {
            flags.append(.badDate(element.identifier))
        }
        return flags
    }
}
