import Basics
import Counting
import DataStore
import Models
import Screens
import WarehouseModels

extension CounterWork {
    /// Writes the next entry of this device's chain; `fill` says what the kind needs.
    @discardableResult
    func write(
        _ kind: EntryKind, in pass: CountPass, crew: [String]? = nil,
        _ fill: (inout CountEntry.Draft) -> Void = { _ in }
    ) throws -> CountEntry {
        let author = try requirePerson()
        let sequence = Int(try tx.nextSequence("entry"))
        let device = environment.deviceCode
        let readers = try self.readers(of: pass)
        let bare = try CountEntry(
            id: RecordID.entry(device: device, sequence: sequence), sessionID: pass.sessionID, passID: pass.id,
            kind: kind, authorID: author, deviceID: device, sequence: sequence, at: now,
            clockOffsetMs: environment.clockOffsetMilliseconds, bootID: environment.time.bootID,
            uptimeMs: String(environment.time.uptime()), previousHash: try tx.setting("chain") ?? "", hash: "",
            crewIDs: crew ?? readers.crew, audience: readers.audience)
        let whole = try bare.updating(fill)
        let entry = try whole.updating { $0.hash = RecordChain.hash(of: whole, sha256: environment.sha256) }
        try noteEntry(of: pass, sequence: sequence)
        try tx.save(entry)
        try tx.setSetting("chain", entry.hash)
        return entry
    }

    /// Who may read entries of a pass: the floor, or those who count the bin together.
    private func readers(of pass: CountPass) throws -> (crew: [String], audience: [String]) {
        let session = try tx.get(CountSession.self, id: pass.sessionID)
        if session?.sharing == .FLOOR { return ([], ["counters"]) }
        var crew: [String] = []
        for other in [pass] + (try opinion(of: pass)) {
            // Who is helped may read on, though this terminal knows nothing of that person's pass yet.
            for person in [other.counterID, other.companionID, other.helpsPersonID] {
                if let person, !crew.contains(person) { crew.append(person) }
            }
        }
        return (crew, [])
    }

    /// The passes that add up with this one, itself included, by the time they were opened.
    func opinion(of pass: CountPass) throws -> [CountPass] {
        let all = try passes(at: place(of: pass), in: pass.sessionID)
        let helped = all.flatMap { one in one.helped(among: all).map { (one.id, $0) } }
        var group: Set<String> = [pass.id]
        var size = 0
        while size != group.count {
            size = group.count
            for (one, other) in helped where group.contains(one) || group.contains(other) {
                group.formUnion([one, other])
            }
        }
        return all.filter { group.contains($0.id) }
    }

    func describe(_ line: OpenLine, _ entry: inout CountEntry.Draft) {
        entry.itemID = line.key.itemID
        entry.lot = line.key.lot
        entry.stockOwner = line.key.stockOwner
        entry.stockStatus = line.key.stockStatus
        entry.licencePlate = line.key.licencePlate
        entry.expiry = line.expiry
        entry.code = line.key.unknownCode ?? (line.code.isScan ? line.code.text : nil)
        entry.rawScan = line.code.base64
        entry.symbology = line.code.symbology
    }

    // MARK: - Items

    /// Opens an item's line; it counts nothing by itself.
    func open(_ reading: ItemReading, _ code: CodeText) throws -> Outcome {
        let pass = try requirePass()
        let line = try line(for: reading, code)
        if let serial = reading.serial, line.item?.tracking == .SERIAL {
            return try count(serial: serial, of: line, in: pass)
        }
        if !line.wantsLot { try write(.TALLY, in: pass) { describe(line, &$0) } }
        return .line(line, try hint(for: line, in: pass))
    }

    func line(for reading: ItemReading, _ code: CodeText) throws -> OpenLine {
        let item = reading.item
        var line = OpenLine(
            key: LineKey(itemID: item.id, lot: reading.lot, licencePlate: reading.licencePlate), item: item,
            code: code, expiry: reading.expiry)
        line.packs = try tx.query(Pack.self, where: Pack.itemID == item.id, sort: [.ascending(Pack.unit)])
            .compactMap { PackUnit($0.unit, numerator: $0.numerator, denominator: $0.denominator) }
        line.unit = reading.pack?.unit ?? reading.match?.unit
        line.barcodes = code.isScan ? [code.text] : []
        line.wantsLot = item.tracking == .LOT && reading.lot == nil
        return line
    }

    func hint(for line: OpenLine, in pass: CountPass) throws -> ScreenMessage? {
        guard let item = line.item else { return ScreenMessage("item.unknown", ["code": line.key.unknownCode ?? ""]) }
        if line.wantsLot { return ScreenMessage("item.wantsLot", ["item": item.sku]) }
        if item.tracking == .SERIAL { return ScreenMessage("item.wantsSerial", ["item": item.sku]) }
        let expected = try expectedLines(of: pass)
        if !expected.isEmpty, !expected.contains(where: { $0.itemID == item.id }) {
            return ScreenMessage("item.unexpected", ["item": item.sku])
        }
        return nil
    }

    /// Keeps a code that no master has, with the bytes as they were scanned.
    func openUnknown(_ code: CodeText, value: String) throws -> Outcome {
        let pass = try requirePass()
        let line = OpenLine(key: LineKey(unknownCode: value), item: nil, code: code)
        try write(.UNKNOWN, in: pass) { describe(line, &$0) }
        return .line(line, try hint(for: line, in: pass))
    }

    /// Counts what was typed for the open line.
    func tally(_ text: String, _ isConfirmed: Bool) throws -> Outcome {
        let pass = try requirePass()
        guard var line = job.line else { throw Refusal("command.unknown", ["text": text]) }
        if line.wantsLot {
            line.key = LineKey(
                itemID: line.key.itemID ?? "", lot: text.trimmed, stockOwner: line.key.stockOwner,
                stockStatus: line.key.stockStatus, licencePlate: line.key.licencePlate)
            line.wantsLot = false
            try write(.TALLY, in: pass) { describe(line, &$0) }
            return .line(line, nil)
        }
        if text.utf8.count >= 8, text.allSatisfy(\.isNumber) {
            let value = normalisedCode(text)
            if try tx.exists(Barcode.self, where: Barcode.value == value) {
                throw Refusal("quantity.isCode", ["text": text])
            }
        }
        let isSet = text.hasPrefix("=")
        let body = isSet ? String(text.dropFirst()) : text
        let units = line.units
        let typed: TypedQuantity
        do throws(QuantityError) {
            typed = try QuantityExpression.evaluate(body, in: units, allowsNegative: body.trimmed.hasPrefix("-"))
        } catch {
            switch error {
            case .unknownUnit(let unit): throw Refusal("pack.unknown", ["item": line.title, "unit": unit])
            case .tooManyPlaces(0): throw Refusal("quantity.decimals", ["item": line.title, "unit": units.baseUnit])
            default: throw Refusal("quantity.invalid", ["text": text])
            }
        }
        let before = try totals(of: pass).lines[line.key]?.quantity ?? .zero
        if typed.base < .zero, before + typed.base < .zero {
            try requireWhole(pass)
            throw Refusal("quantity.invalid", ["text": text])
        }
        var codes = line.barcodes
        for numeral in typed.numerals where numeral.count >= 6 {
            let value = normalisedCode(numeral)
            if try tx.exists(Barcode.self, where: Barcode.value == value) { codes.append(value) }
        }
        let concerns = typed.concerns(in: units, barcodes: codes)
        if concerns.contains(where: { if case .isBarcode = $0 { true } else { false } }) {
            throw Refusal("quantity.isCode", ["text": text])
        }
        if !concerns.isEmpty, !isConfirmed {
            return .confirm(
                ScreenMessage("quantity.large", ["quantity": typed.base.description, "unit": units.baseUnit]))
        }
        let kind: EntryKind = line.item == nil ? .UNKNOWN : isSet ? .SET : .TALLY
        try write(isSet ? .SET : kind, in: pass) { entry in
            describe(line, &entry)
            entry.quantity = typed.quantity
            entry.unit = typed.unit
            entry.baseQuantity = typed.base
            entry.expression = text
        }
        return .stored(ScreenMessage("stored"))
    }

    // MARK: - The bin as a whole

    /// States that the bin is empty; digits prove it, a scan of its label does without.
    func empty(_ digits: String?, _ scan: CodeText?) throws -> Outcome {
        let pass = try requirePass()
        let bin = try pass.binID.flatMap { try tx.get(Bin.self, id: $0) }
        let code = bin?.code ?? pass.foundLabel ?? ""
        try requireWhole(pass)
        let counted = try totals(of: pass).units
        if counted != .zero { throw Refusal("bin.hasCounts", ["bin": code, "units": counted.description]) }
        if let scan {
            let masters = StoreMasters(tx, sessionID: nil)
            let meaning = CodeResolver(masters, year: year).resolve(scan.input)
            if let failure = masters.failure { throw failure }
            let isThis =
                if case .bin(let seen) = meaning { seen.id == pass.binID } else { scan.text == pass.foundLabel }
            guard isThis else { throw Refusal("bin.digitsWrong", ["digits": scan.text, "bin": code]) }
        }
        // A label that no master has bears no known digits.
        if let digits, bin.map({ !CheckDigits.match(digits, $0.checkDigits) }) ?? true {
            throw Refusal("bin.digitsWrong", ["digits": digits, "bin": code])
        }
        try write(.EMPTY, in: pass) { $0.proof = digits == nil ? .BIN_RESCAN : .CHECK_DIGITS }
        return .stored(ScreenMessage("bin.emptied", ["bin": code]))
    }

    /// Says that the open line, or the whole bin, could not be counted.
    mutating func skip(_ reason: String) throws -> Outcome {
        let pass = try requirePass()
        if let line = job.line {
            try write(.SKIP, in: pass) { entry in
                describe(line, &entry)
                entry.reason = reason
            }
            return .stored(ScreenMessage("bin.skipped", ["bin": line.title, "reason": reason]))
        }
        try write(.SKIP, in: pass) { $0.reason = reason }
        let code = try self.code(of: pass)
        _ = try finish(pass, reason: reason)
        showsFloor = true
        return .left(ScreenMessage("bin.skipped", ["bin": code, "reason": reason]))
    }

    func note(_ text: String) throws -> Outcome {
        let pass = try requirePass()
        try write(.NOTE, in: pass) { entry in
            entry.itemID = job.line?.key.itemID
            entry.text = text
        }
        return .said(ScreenMessage("note.stored"), .accepted)
    }
}

extension String {
    /// Without outer blanks.
    var trimmed: String {
        var slice = Substring(self)
        while slice.first?.isWhitespace == true { slice.removeFirst() }
        while slice.last?.isWhitespace == true { slice.removeLast() }
        return String(slice)
    }
}
