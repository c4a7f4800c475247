import Basics
import Counting
import DataStore
import Models
import Screens
import Terminal
import WarehouseModels

extension CounterWork {
    // MARK: - What a scan or a typed line means

    /// Acts on a scan or a typed line in the list of bins or in a bin.
    mutating func submit(_ code: CodeText) throws -> Outcome { try act(on: meaning(of: code), code) }

    /// While something is asked about a bin, only another bin's label is taken: it is asked about, or opened, instead.
    /// Whoever scans an item may stand before the next bin already; it is never counted in the last one.
    mutating func submit(whileAsked code: CodeText) throws -> Outcome {
        guard case .bin = try meaning(of: code) else { return .held }
        return try submit(code)
    }

    private func meaning(of code: CodeText) throws -> CodeMeaning {
        let session = try openPass()?.sessionID ?? sessions().first?.id
        let masters = StoreMasters(tx, sessionID: session)
        let meaning = CodeResolver(masters, year: year).resolve(code.input)
        if let failure = masters.failure { throw failure }
        return meaning
    }

    private mutating func act(on meaning: CodeMeaning, _ code: CodeText) throws -> Outcome {
        let current = try openPass()
        // In the list of bins only bins are asked for, whatever is still open.
        let pass = job.isAtList ? nil : current
        switch meaning {
        case .bin(let bin):
            if let pass = current, pass.binID == bin.id {
                return .returned(ScreenMessage("bin.opened", ["bin": bin.code]))
            }
            return try open(BinRequest(place: .bin(bin.id), opening: code.isScan ? .BIN_SCAN : .NONE))
        case .item(let reading):
            guard pass != nil else { throw Refusal("item.needsBin", ["item": reading.item.sku]) }
            return try open(reading, code)
        case .several(let candidates):
            return .matches(rows(candidates, code, inBin: pass != nil))
        case .person(let person):
            guard code.isScan, person.id != personID else { return try nothing(code, inBin: pass != nil) }
            guard pass != nil else { return try help(person: person.id) }
            return .askBadge(
                person: person.id, who: CounterWork.short(person.name),
                isCompanion: try companion() == person.id)
        case .plate(let plate, _):
            guard let pass else { throw Refusal("item.needsBin", ["item": plate]) }
            try write(.PLATE_WHOLE, in: pass) { entry in
                entry.licencePlate = plate
                entry.code = plate
                entry.rawScan = code.base64
                entry.symbology = code.symbology
            }
            return try openUnknown(code, value: plate)
        case .unknown(let value, let reason):
            if case .empty = reason { throw Refusal("code.misread", ["code": code.text]) }
            guard let pass else { return try nothing(code, inBin: false) }
            // The label that this bin was opened by has no other name.
            if let label = pass.foundLabel, normalisedCode(label) == normalisedCode(code.text) {
                return .returned(ScreenMessage("bin.opened", ["bin": label]))
            }
            if let line = job.line, line.item?.tracking == .SERIAL { return try countSerial(code.text) }
            return try openUnknown(code, value: value.isEmpty ? code.text : value)
        case .command, .nothing: return try nothing(code, inBin: pass != nil)
        }
    }

    /// A code that means nothing here. Without an open bin it may be the label of a bin that no master has.
    private func nothing(_ code: CodeText, inBin: Bool) throws -> Outcome {
        if inBin { throw Refusal("item.noMatch", ["text": code.text]) }
        let label = String(
            String.UnicodeScalarView(
                code.text.unicodeScalars.filter { $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) })
        ).trimmed
        guard !label.isEmpty, try !sessions().isEmpty else { throw Refusal("bin.unknown", ["code": code.text]) }
        let request = BinRequest(place: .label(label), opening: code.isScan ? .BIN_SCAN : .NONE)
        return .askFound(request, label: label)
    }

    private func rows(_ candidates: [CodeCandidate], _ code: CodeText, inBin: Bool) -> [FoundRow] {
        candidates.compactMap { candidate in
            switch candidate {
            case .bin(let bin): FoundRow(cells: ["code": bin.code, "name": ""], pick: .bin(bin.id))
            case .item(let reading) where inBin:
                FoundRow(
                    cells: ["code": reading.item.sku, "name": reading.item.name], pick: .item(reading, code))
            default: nil
            }
        }
    }
}
