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

    private func describe(_ line: OpenLine, _ entry: inout CountEntry.Draft) {
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

    private func hint(for line: OpenLine, in pass: CountPass) throws -> ScreenMessage? {
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
        if typed.base < .zero, before + typed.base < .zero { throw Refusal("quantity.invalid", ["text": text]) }
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

    /// The code was scanned again: two by the second scan, one by each further one.
    func countPiece() throws -> Outcome {
        let pass = try requirePass()
        guard var line = job.line else { return .none }
        let number = line.isPieceScanning ? 1 : 2
        let factor = line.units.defaultUnit
        try write(line.item == nil ? .UNKNOWN : .TALLY, in: pass) { entry in
            describe(line, &entry)
            entry.quantity = Decimal3(number)
            entry.unit = factor.unit
            entry.baseQuantity = factor.inBaseUnits(Decimal3(number))
        }
        line.isPieceScanning = true
        let total = try totals(of: pass).lines[line.key]?.quantity ?? .zero
        return .counted(
            ScreenMessage("item.again", ["item": line.title, "quantity": total.description]), line)
    }

    /// Counts a serial number of the open line.
    func countSerial(_ serial: String) throws -> Outcome {
        guard let line = job.line else { return .none }
        return try count(serial: serial, of: line, in: try requirePass())
    }

    func count(serial: String, of line: OpenLine, in pass: CountPass) throws -> Outcome {
        if try totals(of: pass).lines[line.key]?.serials.contains(serial) == true {
            throw Refusal("serial.twice", ["serial": serial])
        }
        try write(.SERIAL, in: pass) { entry in
            describe(line, &entry)
            entry.serial = serial
        }
        let total = try totals(of: pass).lines[line.key]?.quantity ?? .zero
        return .counted(
            ScreenMessage("item.again", ["item": line.title, "quantity": total.description]), line, serial: serial)
    }

    /// Says where else in the session a serial number was counted, as far as this terminal may read.
    func elsewhere(_ serial: String, _ itemID: String?, _ passID: String) throws -> Outcome {
        guard let pass = try tx.get(CountPass.self, id: passID) else { return .none }
        let same = CountEntry.sessionID == pass.sessionID && CountEntry.kind == EntryKind.SERIAL
        for entry in try tx.query(CountEntry.self, where: same && CountEntry.serial == serial)
        where entry.passID != passID && entry.itemID == itemID {
            guard let other = try tx.get(CountPass.self, id: entry.passID),
                try totals(of: other).lines.values.contains(where: { $0.serials.contains(serial) })
            else { continue }
            return .aside(
                ScreenMessage(
                    "serial.elsewhere",
                    ["serial": serial, "bin": try code(of: other), "who": try name(of: entry.authorID)]))
        }
        return .none
    }

    // MARK: - The bin as a whole

    /// States that the bin is empty; digits prove it, a scan of its label does without.
    func empty(_ digits: String?, _ scan: CodeText?) throws -> Outcome {
        let pass = try requirePass()
        let bin = try pass.binID.flatMap { try tx.get(Bin.self, id: $0) }
        let code = bin?.code ?? pass.foundLabel ?? ""
        let counted = try totals(of: pass).units
        if counted != .zero { throw Refusal("bin.hasCounts", ["bin": code, "units": counted.description]) }
        if let scan {
            let masters = StoreMasters(tx, sessionID: nil)
            let meaning = CodeResolver(masters, year: 2026).resolve(scan.input)
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

    // MARK: - Undo

    /// Takes back the last act of this pass that still counts.
    func undo() throws -> Outcome {
        let pass = try requirePass()
        let totals = try self.totals(of: pass)
        let author = try requirePerson()
        let target = try entries(of: pass.id).last { entry in
            entry.authorID == author && !totals.reversed.contains(entry.id)
                && ![.UNDO, .CLOSE, .VOID, .SHARE].contains(entry.kind)
        }
        guard let target else { return .said(ScreenMessage("undo.nothing"), .attention) }
        try write(.UNDO, in: pass) { $0.reversesID = target.id }
        return .stored(ScreenMessage("undo.done", ["what": try describe(target)]))
    }

    /// Takes back the last undo that still holds.
    func redo() throws -> Outcome {
        let pass = try requirePass()
        let all = try entries(of: pass.id)
        let undone = Set(all.compactMap { $0.kind == .UNDO ? $0.reversesID : nil })
        let author = try requirePerson()
        guard let target = all.last(where: { $0.kind == .UNDO && $0.authorID == author && !undone.contains($0.id) }),
            // What was written since stands; only undos at the end are taken back.
            all.last(where: { $0.kind != .UNDO && $0.kind != .SHARE }).map({ $0.sequence < target.sequence }) ?? true,
            all.first(where: { $0.id == target.reversesID })?.kind != .UNDO
        else { return .said(ScreenMessage("undo.nothing"), .attention) }
        try write(.UNDO, in: pass) { $0.reversesID = target.id }
        let first = all.first { $0.id == target.reversesID }
        return .stored(ScreenMessage("redo.done", ["what": try first.map { try describe($0) } ?? ""]))
    }

    private func describe(_ entry: CountEntry) throws -> String {
        var words: [String] = []
        if let id = entry.itemID, let item = try tx.get(Item.self, id: id) { words.append(item.sku) }
        if entry.itemID == nil, let code = entry.code { words.append(code) }
        switch entry.kind {
        case .SET: words.append("= " + (entry.baseQuantity?.description ?? ""))
        case .SERIAL: words.append(entry.serial ?? "")
        case .PLATE_WHOLE: words.append("app.word.plate")
        case .EMPTY: words.append("app.word.empty")
        case .SKIP: words.append("app.word.skip")
        case .NOTE: words.append("app.word.note")
        default: if let quantity = entry.baseQuantity { words.append(quantity.description) }
        }
        return words.joined(separator: " ")
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
