import Basics
import Models
import WarehouseModels

/// Finds what a scan or a typed line means.
///
/// Pure over a look-up. It never fails and never drops a scan: what is not known comes back as unknown with a reason.
public struct CodeResolver<Masters: MasterData> {
    /// Where codes are looked up.
    public let masters: Masters
    /// How the site's labels are told apart.
    public let conventions: CodeConventions
    private let reader: GS1Reader

    /// Makes a resolver; `year` is the current one, which two-digit years are read around.
    public init(_ masters: Masters, conventions: CodeConventions = CodeConventions(), year: Int) {
        self.masters = masters
        self.conventions = conventions
        reader = GS1Reader(year: year, separators: conventions.separators)
    }

    /// What an input means.
    public func resolve(_ input: CodeInput) -> CodeMeaning {
        if input.origin == .typed { return resolveTyped(input) }
        let isBlank = input.text.unicodeScalars.allSatisfy { $0.value < 0x20 || $0.value == 0x7F || $0 == " " }
        guard !input.text.isEmpty, !isBlank else { return .unknown(code: "", reason: .empty) }
        if let symbology = input.symbology, Symbology.saysGS1(symbology) {
            return meaning(of: gs1Data(of: input), input: input) ?? plain(input)
        }
        return plain(input)
    }

    // MARK: - Typed lines

    private func resolveTyped(_ input: CodeInput) -> CodeMeaning {
        let text = input.text
        guard let first = text.first else { return .nothing }
        if text.count == 1, let letter = first.uppercased().first, conventions.commands.contains(letter) {
            return .command(letter)
        }
        let exact = exactCandidates(text)
        if let meaning = one(of: exact) { return meaning }
        // Typed GS1 text and addresses mean what they would mean as a scan.
        if let message = reader.bracketed(input.raw) ?? reader.digitalLink(input.raw), message.isUsable,
            let meaning = meaning(of: message, input: input), !meaning.isUnknown
        {
            return meaning
        }
        var found = masters.items(skuPrefix: text, limit: 9)
        for item in masters.items(nameWordPrefix: text, limit: 9) where !found.contains(where: { $0.id == item.id }) {
            found.append(item)
        }
        return one(of: found.prefix(9).map { .item(ItemReading(item: $0)) }) ?? .nothing
    }

    // MARK: - Scans

    private func plain(_ input: CodeInput) -> CodeMeaning {
        let text = input.text
        let code = normalisedCode(text)
        if let plate = plate(text) { return .plate(plate, flags: []) }
        if let meaning = one(of: exactCandidates(text, symbology: input.symbology)) { return meaning }
        if let message = guessedMessage(input) {
            if let meaning = meaning(of: message, input: input) { return meaning }
        }
        guard let gtin = gtins(text, input.symbology).first else {
            return .unknown(code: code, reason: .noRecord)
        }
        if let restricted = RestrictedNumber(gtin) {
            return .unknown(code: gtin.digits, reason: .restrictedNumber(restricted))
        }
        return .unknown(code: gtin.digits, reason: .unknownGTIN(gtin))
    }

    /// GS1 data that no symbology identifier announced: by its form, and only where all of it can be read.
    private func guessedMessage(_ input: CodeInput) -> GS1Message? {
        let data = Symbology.split(input.raw).data
        if let message = reader.digitalLink(input.raw) ?? reader.bracketed(input.raw) {
            return message.isUsable ? message : nil
        }
        let startsWithSeparator = data.first == 0x1D
        let looksLike = ["00", "01", "02", "8006", "414"].contains(where: input.text.hasPrefix)
        guard startsWithSeparator || looksLike else { return nil }
        let message = reader.elementString(input.raw)
        return message.isUsable || startsWithSeparator ? message : nil
    }

    private func gs1Data(of input: CodeInput) -> GS1Message {
        reader.digitalLink(input.raw) ?? reader.bracketed(input.raw) ?? reader.elementString(input.raw)
    }

    /// What GS1 data mean; nil where a plain reading of the text should be tried instead.
    private func meaning(of message: GS1Message, input: CodeInput) -> CodeMeaning? {
        guard message.isUsable else {
            // A site may print its own code with a GS1 symbology: the plain text is tried first.
            if let known = one(of: exactCandidates(input.text)) { return known }
            return .unknown(code: normalisedCode(input.text), reason: .badLabel(message.flags))
        }
        if let bin = bin(in: message) { return .bin(bin) }
        if let gtin = message.gtin ?? message.contentGTIN {
            let candidates = itemReadings(value: gtin.digits).map { CodeCandidate.item(completed($0, from: message)) }
            if let meaning = one(of: candidates) { return meaning }
            if let restricted = RestrictedNumber(gtin) {
                return .unknown(code: gtin.digits, reason: .restrictedNumber(restricted))
            }
            return .unknown(code: gtin.digits, reason: .unknownGTIN(gtin))
        }
        if let sscc = message.sscc { return .plate(sscc, flags: message.flags) }
        for element in message.elements where ["240", "241", "8003", "8004"].contains(element.identifier) {
            if let meaning = one(of: exactCandidates(element.value)) { return meaning }
        }
        return nil
    }

    private func bin(in message: GS1Message) -> Bin? {
        if let location = message.location {
            // GLN and extension together, the extension alone, or the GLN alone may be what masters have.
            let codes = [location.extension.map { location.gln + $0 }, location.extension, location.gln]
            for code in codes.compactMap(\.self) {
                if let bin = masters.bins(code: normalisedCode(code)).first { return bin }
            }
        }
        for element in message.elements where conventions.binIdentifiers.contains(element.identifier) {
            if let bin = masters.bins(code: normalisedCode(element.value)).first { return bin }
        }
        return nil
    }

    private func completed(_ reading: ItemReading, from message: GS1Message) -> ItemReading {
        var reading = reading
        reading.lot = message.lot ?? reading.lot
        reading.serial = message.serial
        reading.expiry = (message.expiry ?? message.bestBefore)?.text
        reading.statedQuantity = message.contentCount ?? message.variableCount
        reading.measure = message.netWeight ?? message.measures.first
        reading.licencePlate = message.sscc
        reading.flags = message.flags
        if message.flags.contains(.swallowedElements("10")) {
            reading.otherLots = reader.alternatives(to: message).compactMap(\.lot)
                .filter { masters.knowsLot($0, itemID: reading.item.id) }
        }
        return reading
    }

    // MARK: - Exact look-ups

    private func exactCandidates(_ text: String, symbology: String? = nil) -> [CodeCandidate] {
        if let rest = stripped(text, conventions.badgePrefixes) {
            return masters.people(login: rest.uppercased()).map(CodeCandidate.person)
        }
        if let rest = stripped(text, conventions.binPrefixes) {
            let bins = masters.bins(code: normalisedCode(rest))
            if !bins.isEmpty { return bins.map(CodeCandidate.bin) }
        }
        let code = normalisedCode(text)
        var result = masters.bins(code: code).map(CodeCandidate.bin)
        if code != text.uppercased() { result += masters.bins(code: text.uppercased()).map(CodeCandidate.bin) }
        var readings: [ItemReading] = []
        // A code of eight digits can be an EAN-8 or a UPC-E: both are tried.
        let values = [code, text.uppercased()] + gtins(text, symbology).map(\.digits)
        var seen: Set<String> = []
        for value in values where seen.insert(value).inserted { readings += itemReadings(value: value) }
        readings += masters.items(sku: text.uppercased()).map { ItemReading(item: $0) }
        var known: Set<[String?]> = []
        result += readings.filter { known.insert([$0.item.id, $0.pack?.id]).inserted }.map(CodeCandidate.item)
        if result.isEmpty { result = masters.people(login: text.uppercased()).map(CodeCandidate.person) }
        return result
    }

    private func itemReadings(value: String) -> [ItemReading] {
        let found = masters.barcodes(value: value).compactMap { barcode -> ItemReading? in
            guard let item = masters.item(id: barcode.itemID) else { return nil }
            var reading = ItemReading(item: item)
            reading.pack = barcode.packID.flatMap { id in masters.packs(itemID: item.id).first { $0.id == id } }
            reading.lot = barcode.lot
            return reading
        }
        if !found.isEmpty { return found }
        guard let match = masters.match(value: value), let item = masters.item(id: match.itemID) else { return [] }
        var reading = ItemReading(item: item)
        reading.match = match
        reading.pack = masters.packs(itemID: item.id).first { sameUnit($0.unit, match.unit) }
        return [reading]
    }

    private func gtins(_ text: String, _ symbology: String?) -> [GTIN] {
        var result = [GTIN(text)].compactMap(\.self)
        if text.utf8.count == 8, symbology != "]E4", let expanded = GTIN(upcE: text), !result.contains(expanded) {
            result.append(expanded)
        }
        return result
    }

    private func plate(_ text: String) -> String? {
        let upper = text.uppercased()
        let isSite = conventions.platePrefixes.contains { prefix in
            upper.hasPrefix(prefix.uppercased()) && upper.dropFirst(prefix.count).contains(where: \.isNumber)
        }
        return isSite ? upper : nil
    }

    private func stripped(_ text: String, _ prefixes: [String]) -> String? {
        let prefix = prefixes.first { text.uppercased().hasPrefix($0.uppercased()) && text.count > $0.count }
        return prefix.map { String(text.dropFirst($0.count)) }
    }

    private func one(of candidates: [CodeCandidate]) -> CodeMeaning? {
        switch candidates.count {
        case 0: nil
        case 1:
            switch candidates[0] {
            case .bin(let bin): .bin(bin)
            case .item(let reading): .item(reading)
            case .person(let person): .person(person)
            }
        default: .several(Array(candidates.prefix(9)))
        }
    }
}

extension CodeMeaning {
    fileprivate var isUnknown: Bool { if case .unknown = self { true } else { false } }
}
