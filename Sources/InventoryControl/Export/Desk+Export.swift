import Basics
import Counting
import DataStore
import Models
import WarehouseModels

extension Desk {
    /// Cuts documents from what is accepted, one run for each connector; lines that wait are kept as held.
    mutating func export(_ decision: Decision, in tx: StoreTransaction, now: DateTime) throws -> String {
        let session = try session(decision, in: tx)
        guard session.state != .draft, session.state != .cancelled, session.state != .closed else {
            throw Refusal(.countIs, ["state": session.state.rawValue])
        }
        guard !connectors.isEmpty else { throw Refusal(.noERP) }
        let verdicts = try tx.query(LineVerdict.self, where: LineVerdict.sessionID == session.id)
        let wanted = try zonesWanted(decision, in: tx)
        guard let plan = try plan(of: session.id, in: tx),
            let snapshot = try tx.get(BookSnapshot.self, id: plan.snapshotID)
        else { throw Refusal(.countHasNoBook) }
        let source = try grainSource(verdicts, session, snapshot, in: tx, now: now)
        var (ready, held) = (0, 0)
        var gone: Set<String> = []
        for connector in connectors {
            let rolled = try rollUp(source, connector, session, plan, snapshot, in: tx)
            var lines: [ExportLine] = []
            for line in rolled {
                if let wanted, !line.verdictIDs.contains(where: { source.zones[$0].map(wanted.contains) ?? false }) {
                    continue
                }
                let lineID = id("ExportLine", [connector.name, session.id, line.grainKey])
                if let known = try tx.get(ExportLine.self, id: lineID), known.state != .held { continue }
                if !line.heldFor.isEmpty {
                    held += 1
                    try put(exportLine(lineID, nil, line, session, connector, source, .held), in: tx)
                } else if line.isReady {
                    lines.append(exportLine(lineID, nil, line, session, connector, source, .ready))
                    gone.formUnion(line.verdictIDs)
                }
            }
            ready += lines.count
            try cut(lines, session, connector, cause: decision.id, in: tx)
        }
        if held > 0 { holds.insert(session.id) }
        try leave(verdicts.filter { gone.contains($0.id) }, session, in: tx)
        return DeskText.cut(["ready": "\(ready)", "held": "\(held)"])
    }

    func rollUp(
        _ source: GrainSource, _ connector: ConnectorOptions, _ session: CountSession, _ plan: SessionPlan,
        _ snapshot: BookSnapshot, in tx: StoreTransaction
    ) throws -> [RolledUpLine] {
        ExportRollUp.lines(
            source.lines, grain: connector.grain, semantics: connector.semantics, bookFrozen: snapshot.bookFrozen,
            openBins: connector.grain.parts.contains(.bin) ? [] : try openBins(session, plan, in: tx))
    }

    /// Marks verdicts as left for the ERP, and the count once all of them are.
    mutating func leave(_ verdicts: [LineVerdict], _ session: CountSession, in tx: StoreTransaction) throws {
        for verdict in verdicts where verdict.state == .ACCEPTED {
            try tx.save(try VerdictRevision.exported(verdict))
        }
        if !verdicts.isEmpty { hasDocuments = true }
        let rest = try tx.exists(
            LineVerdict.self,
            where: LineVerdict.sessionID == session.id
                && LineVerdict.state.isIn([.OPEN, .RECOUNT, .TO_DECIDE, .ACCEPTED]))
        if !rest, session.state == .approved {
            try tx.save(session.updating { $0.state = .exported })
            endShowing(session)
        }
    }

    /// Puts lines into documents of a size that the connector takes.
    func cut(
        _ lines: [ExportLine], _ session: CountSession, _ connector: ConnectorOptions, cause: String,
        corrects: String? = nil, in tx: StoreTransaction
    ) throws {
        var start = 0
        var number = 1
        while start < lines.count {
            let part = lines[start..<min(start + connector.mostLines, lines.count)]
            let document = RecordID.document(
                connector: connector.name, cause: cause, number: number, sha256: sha256)
            try tx.save(
                ExportDocument(
                    id: document, sessionID: session.id, connector: connector.name, semantics: connector.semantics,
                    grain: connector.grain.description, state: .ready, attempts: 0, correctsID: corrects))
            for line in part { try put(line.updating { $0.documentID = document }, in: tx) }
            start += part.count
            number += 1
        }
    }

    private func zonesWanted(_ decision: Decision, in tx: StoreTransaction) throws -> Set<String>? {
        guard !decision.targetIDs.isEmpty else { return nil }
        let zones = try tx.query(
            Zone.self, where: Zone.id.isIn(decision.targetIDs) || Zone.code.isIn(decision.targetIDs))
        guard !zones.isEmpty else { throw Refusal(.exportZoneUnknown) }
        return Set(zones.map(\.id))
    }

    /// What the roll-up needs beside the verdicts.
    struct GrainSource {
        var lines: [GrainLine] = []
        var zones: [String: String] = [:]
        var units: [String: String] = [:]
    }

    func grainSource(
        _ verdicts: [LineVerdict], _ session: CountSession, _ snapshot: BookSnapshot, in tx: StoreTransaction,
        now: DateTime
    ) throws -> GrainSource {
        let zones = Dictionary(try tx.query(Zone.self).map { ($0.id, $0) }, uniquingKeysWith: { a, _ in a })
        let hasMovements = try tx.exists(StockMovement.self)
        var result = GrainSource()
        var (bins, items): ([String: Bin], [String: Item]) = ([:], [:])
        for verdict in verdicts {
            let bin = try bins[verdict.binID] ?? tx.get(Bin.self, id: verdict.binID)
            let item = try items[verdict.itemID] ?? tx.get(Item.self, id: verdict.itemID)
            guard let bin, let item else { continue }
            bins[bin.id] = bin
            items[item.id] = item
            var moved = Decimal3.zero
            if hasMovements, let counted = verdict.countedTo {
                let all = try tx.query(StockMovement.self, where: StockMovement.binID == bin.id)
                moved = BookFacts(snapshot, lines: [BookLine](), movements: all)
                    .moved(LineKey(verdict), after: counted, through: now)
            }
            let zone = zones[bin.zoneID]
            result.zones[verdict.id] = bin.zoneID
            result.units[verdict.id] = item.baseUnit
            result.lines.append(
                GrainLine(
                    verdict, binCode: bin.code, sku: item.sku, site: zone?.erpSite, location: zone?.erpLocation,
                    moved: moved))
        }
        return result
    }

    func openBins(_ session: CountSession, _ plan: SessionPlan, in tx: StoreTransaction) throws -> [OpenBin] {
        let tasks = try tx.query(
            BinTask.self, where: BinTask.sessionID == session.id && BinTask.state.isIn([.todo, .open, .skipped]))
        return try tasks.map { task in
            let zone = try tx.get(Zone.self, id: task.zoneID)
            let book = try tx.query(
                BookLine.self, where: BookLine.binID == task.binID && BookLine.snapshotID == plan.snapshotID)
            let skus = try book.compactMap { try tx.get(Item.self, id: $0.itemID)?.sku }
            return OpenBin(
                binCode: task.binCode, site: zone?.erpSite, location: zone?.erpLocation, skus: Set(skus))
        }
    }

    func exportLine(
        _ id: String, _ document: String?, _ line: RolledUpLine, _ session: CountSession,
        _ connector: ConnectorOptions, _ source: GrainSource, _ state: ExportLineState
    ) -> ExportLine {
        ExportLine(
            id: id, documentID: document, sessionID: session.id, connector: connector.name, grainKey: line.grainKey,
            verdictIDs: line.verdictIDs, heldFor: line.heldText, quantity: line.quantity,
            unit: line.verdictIDs.first.flatMap { source.units[$0] }, zeroFlag: line.zeroFlag,
            countedAt: line.countedAt, movedSince: line.movedSince, state: state)
    }

    /// Sends again: a document nobody knows the fate of as it is, rejected lines in a new document.
    mutating func resend(_ decision: Decision, in tx: StoreTransaction, now: DateTime) throws -> String {
        var lines: [ExportLine] = []
        for target in decision.targetIDs {
            if let document = try tx.get(ExportDocument.self, id: target) {
                switch document.state {
                case .unknown, .retry:
                    // A person looked: it is not there.
                    try tx.save(
                        document.updating {
                            $0.state = .ready
                            $0.nextAttemptAt = nil
                        })
                case .rejected, .confirmed:
                    lines += try tx.query(
                        ExportLine.self, where: ExportLine.documentID == target && ExportLine.state == .rejected)
                default: throw Refusal(.documentIs, ["state": document.state.rawValue])
                }
            } else if let line = try tx.get(ExportLine.self, id: target) {
                guard line.state == .rejected else { throw Refusal(.lineIs, ["state": line.state.rawValue]) }
                lines.append(line)
            } else {
                throw Refusal(.targetUnknown, ["target": "\(target)"])
            }
        }
        hasDocuments = true
        for (name, group) in Dictionary(grouping: lines, by: \.connector).sorted(by: { $0.key < $1.key }) {
            guard let connector = connectors.first(where: { $0.name == name }),
                let session = try tx.get(CountSession.self, id: group[0].sessionID)
            else { throw Refusal(.noConnector, ["name": "\(name)"]) }
            let again = group.sorted { $0.grainKey < $1.grainKey }.map { line in
                ExportLine(
                    id: id("ExportLine", [line.id, decision.id]), documentID: nil, sessionID: line.sessionID,
                    connector: name, grainKey: line.grainKey, verdictIDs: line.verdictIDs, quantity: line.quantity,
                    unit: line.unit, zeroFlag: line.zeroFlag, countedAt: line.countedAt, movedSince: line.movedSince,
                    state: .ready, replacesID: line.id)
            }
            try cut(again, session, connector, cause: decision.id, corrects: group[0].documentID, in: tx)
            // Whatever becomes of it now stands on the new line.
            for line in group {
                try put(
                    line.updating {
                        $0.state = .dropped
                        $0.error = DeskText.sentAgain(["decision": decision.id])
                    }, in: tx)
            }
        }
        return ""
    }

    /// Takes note that a person posted lines in the ERP; `text` is the ERP's reference.
    func settleByHand(_ decision: Decision, in tx: StoreTransaction) throws -> String {
        guard let reference = decision.text, !reference.isEmpty else { throw Refusal(.referenceNeeded) }
        for target in decision.targetIDs {
            if let document = try tx.get(ExportDocument.self, id: target), document.state == .unknown {
                try settle(document, .confirmed, reference: reference, lines: [], in: tx)
                continue
            }
            guard let line = try tx.get(ExportLine.self, id: target), [.rejected, .held].contains(line.state) else {
                throw Refusal(.notRefused, ["target": "\(target)"])
            }
            try tx.save(
                line.updating {
                    $0.state = .posted_by_hand
                    $0.erpReference = reference
                })
        }
        return ""
    }
}
