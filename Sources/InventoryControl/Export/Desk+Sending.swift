import Basics
import Counting
import DataStore
import Models
import WarehouseModels

extension Desk {
    /// Documents given out, or marked to be, at a time.
    static let documentsPerStep = 4

    /// Gives documents out to be sent or looked up.
    ///
    /// A document is marked *sending* first, and given out by a step that finds the server to have the mark, still under
    /// the lease: a desk that takes over then looks it up, whatever became of this one.
    mutating func sendDocuments(in tx: StoreTransaction, now: DateTime, _ outcome: inout DeskOutcome) throws {
        let live: [ExportState] = [.ready, .sending, .sent, .retry, .unknown]
        let documents = try tx.query(
            ExportDocument.self, where: ExportDocument.state.isIn(live), sort: [.ascending(ExportDocument.id)])
        if documents.isEmpty { hasDocuments = false }
        let open = Set(documents.map(\.id))
        marked = marked.filter { open.contains($0.key) }
        var count = 0
        for var document in documents where !inFlight.contains(document.id) {
            guard let connector = connectors.first(where: { $0.name == document.connector }) else { continue }
            // What another desk wrote meanwhile is not what was marked.
            if document.state != .sending { marked[document.id] = nil }
            if marked[document.id] == nil, document.state == .sending || document.state == .sent {
                // Another life of this desk began it: nobody knows how it ended.
                document = document.updating {
                    $0.state = .unknown
                    $0.error = DeskText.deskEnded()
                    $0.nextAttemptAt = now
                }
                try tx.save(document)
            }
            if document.state == .unknown, document.nextAttemptAt == nil { continue }
            if let due = document.nextAttemptAt, due > now {
                outcome.wake(due)
                continue
            }
            if count == Desk.documentsPerStep {
                outcome.hasMore = true
                return
            }
            if document.state == .unknown {
                outcome.jobs.append(
                    ExportJob(act: .find, connector: connector, payload: try payload(document, in: tx)))
                inFlight.insert(document.id)
                count += 1
                continue
            }
            let unsent = isAlone ? [] : try tx.outbox(model: ExportDocument.schema.name, id: document.id)
            if let refused = unsent.first(where: { $0.state == .parked }) {
                // The server will not have the mark: a person decides, and the others go on.
                marked[document.id] = nil
                try postpone(document, .unknown, DeskText.markRefused(["reason": refused.reason ?? ""]), nil, in: tx)
                continue
            }
            if marked[document.id] == nil, marked.count < Desk.documentsPerStep {
                marked[document.id] = try mark(document, connector, in: tx, now: now)
                count += 1
            }
            guard let job = marked[document.id] else { continue }
            guard try isAlone || tx.outbox(model: ExportDocument.schema.name, id: document.id).isEmpty else {
                outcome.wake(now.advanced(by: Desk.markPause))
                continue
            }
            marked[document.id] = nil
            outcome.jobs.append(job)
            inFlight.insert(document.id)
        }
    }

    /// How long until a desk looks again whether the server has its mark, where nothing tells it before (milliseconds).
    private static let markPause: Int64 = 1000

    /// Marks a document as being sent, with what is sent.
    private func mark(
        _ document: ExportDocument, _ connector: ConnectorOptions, in tx: StoreTransaction, now: DateTime
    ) throws -> ExportJob {
        try refresh(document, connector, in: tx, now: now)
        let sending = document.updating {
            $0.state = .sending
            $0.attempts = document.attempts + 1
            $0.sentAt = now
            $0.error = nil
            $0.nextAttemptAt = nil
        }
        let payload = try payload(sending, in: tx)
        try tx.save(sending.updating { $0.payloadSha256 = sha256(ConnectorPort.csv(payload)) })
        for line in try openLines(document.id, in: tx) {
            try tx.save(line.updating { $0.state = .sending })
        }
        return ExportJob(act: .send, connector: connector, payload: payload)
    }

    private func openLines(_ document: String, in tx: StoreTransaction) throws -> [ExportLine] {
        try tx.query(ExportLine.self, where: ExportLine.documentID == document, sort: [.ascending(ExportLine.id)])
            .filter { ![.confirmed, .rejected, .posted_by_hand, .dropped].contains($0.state) }
    }

    /// Movements since the cut belong to what is sent now: the lines take their numbers at the moment of sending.
    private func refresh(
        _ document: ExportDocument, _ connector: ConnectorOptions, in tx: StoreTransaction, now: DateTime
    ) throws {
        guard let session = try tx.get(CountSession.self, id: document.sessionID),
            let plan = try plan(of: session.id, in: tx),
            let snapshot = try tx.get(BookSnapshot.self, id: plan.snapshotID),
            try tx.exists(StockMovement.self)
        else { return }
        for line in try openLines(document.id, in: tx) {
            let verdicts = try line.verdictIDs.compactMap { try tx.get(LineVerdict.self, id: $0) }
            let source = try grainSource(verdicts, session, snapshot, in: tx, now: now)
            let rolled = ExportRollUp.lines(
                source.lines, grain: connector.grain, semantics: document.semantics, bookFrozen: snapshot.bookFrozen)
            guard rolled.count == 1, rolled[0].isReady else { continue }
            try put(
                line.updating {
                    $0.quantity = rolled[0].quantity
                    $0.movedSince = rolled[0].movedSince
                    $0.zeroFlag = rolled[0].zeroFlag
                }, in: tx)
        }
    }

    /// Writes down what came of a job.
    mutating func take(_ result: ExportResult, in tx: StoreTransaction, now: DateTime) throws {
        inFlight.remove(result.document)
        hasDocuments = true
        guard let document = try tx.get(ExportDocument.self, id: result.document),
            document.state == .sending || document.state == .unknown
        else { return }
        switch result.answer {
        case .confirmed(let reference):
            try settle(document, .confirmed, reference: reference, lines: result.lines, at: now, in: tx)
        case .rejected(let error):
            try settle(document, .rejected, error: error, lines: result.lines, in: tx)
        case .retry(let error):
            try postpone(document, .retry, error, now.advanced(by: delay(document.attempts)), in: tx)
        case .notFound: try postpone(document, .retry, DeskText.notThere(), now, in: tx)
        case .unknown(let error):
            try postpone(document, .unknown, error, now.advanced(by: delay(document.attempts)), in: tx)
        case .cannotFind(let error): try postpone(document, .unknown, error, nil, in: tx)
        }
    }

    /// 5 s, then five times as long each time, up to an hour.
    private func delay(_ attempts: Int) -> Int64 {
        var result: Int64 = 5000
        for _ in 0..<min(max(attempts - 1, 0), 5) { result *= 5 }
        return min(result, 3_600_000)
    }

    private func postpone(
        _ document: ExportDocument, _ state: ExportState, _ error: String, _ next: DateTime?, in tx: StoreTransaction
    ) throws {
        try tx.save(
            document.updating {
                $0.state = state
                $0.error = error
                $0.nextAttemptAt = next
            })
        for line in try openLines(document.id, in: tx) {
            try put(line.updating { $0.state = state == .retry ? .retry : .unknown }, in: tx)
        }
    }

    /// Ends a document; lines that the other side names apart end as it says.
    func settle(
        _ document: ExportDocument, _ state: ExportState, reference: String? = nil, error: String? = nil,
        lines results: [ExportResult.LineResult], at now: DateTime? = nil, in tx: StoreTransaction
    ) throws {
        try tx.save(
            document.updating {
                $0.state = state
                $0.erpReference = reference
                $0.error = error
                $0.confirmedAt = state == .confirmed ? now : nil
                $0.nextAttemptAt = nil
            })
        let byID = Dictionary(results.map { ($0.id, $0) }, uniquingKeysWith: { a, _ in a })
        for line in try openLines(document.id, in: tx) {
            let own = byID[line.id]
            let isAccepted = own?.isAccepted ?? (state == .confirmed)
            try tx.save(
                line.updating {
                    $0.state = isAccepted ? .confirmed : .rejected
                    $0.erpReference = own?.reference ?? reference
                    $0.error = isAccepted ? nil : own?.error ?? error
                })
        }
    }

    /// A document with all that its lines say.
    func payload(_ document: ExportDocument, in tx: StoreTransaction) throws -> ExportPayload {
        let session = try tx.get(CountSession.self, id: document.sessionID)
        var lines: [ExportPayload.Line] = []
        let grain = ExportGrain(document.grain) ?? ExportGrain([.bin])
        for line in try openLines(document.id, in: tx) {
            let verdicts = try line.verdictIDs.compactMap { try tx.get(LineVerdict.self, id: $0) }
            guard let first = verdicts.first, let quantity = line.quantity else { continue }
            let item = try tx.get(Item.self, id: first.itemID)
            let bin = try tx.get(Bin.self, id: first.binID)
            let zone = try bin.flatMap { try tx.get(Zone.self, id: $0.zoneID) }
            let passes = try Set(verdicts.flatMap { $0.standingPassID.map { [$0] } ?? $0.passIDs }).sorted()
                .compactMap { try tx.get(CountPass.self, id: $0) }
            let decision = try first.decisionID.flatMap { try tx.get(Decision.self, id: $0) }
            let counted = verdicts.reduce(Decimal3.zero) { $0 + ($1.counted ?? .zero) }
            let book = verdicts.reduce(Decimal3.zero) { $0 + ($1.bookAtCount ?? .zero) }
            lines.append(
                ExportPayload.Line(
                    id: line.id, bin: grain.parts.contains(.bin) ? bin?.code : nil, sku: item?.sku ?? first.itemID,
                    lot: grain.parts.contains(.lot) ? first.lot : nil,
                    stockOwner: grain.parts.contains(.owner) ? first.stockOwner : nil,
                    stockStatus: grain.parts.contains(.status) ? first.stockStatus : nil,
                    licencePlate: grain.parts.contains(.plate) ? first.licencePlate : nil,
                    site: zone?.erpSite, location: zone?.erpLocation, quantity: quantity, unit: line.unit ?? "",
                    zeroFlag: line.zeroFlag, counted: counted, bookAtCount: book, variance: counted - book,
                    movedSince: line.movedSince, countedAt: line.countedAt,
                    countedBy: Set(passes.map(\.counterID)).sorted(), passes: passes.map(\.id),
                    serials: verdicts.flatMap { $0.serials ?? [] }.sorted(), approvedBy: decision?.byID,
                    reason: decision?.reason, erpRef: try erpRef(first, session, in: tx)))
        }
        return ExportPayload(
            id: document.id, session: session?.name ?? document.sessionID, semantics: document.semantics,
            grain: document.grain, lines: lines)
    }

    private func erpRef(_ verdict: LineVerdict, _ session: CountSession?, in tx: StoreTransaction) throws -> JSONValue?
    {
        guard let session, let plan = try plan(of: session.id, in: tx) else { return nil }
        let id = RecordID.bookLine(
            snapshot: plan.snapshotID, bin: verdict.binID, line: LineKey(verdict), sha256: sha256)
        return try tx.get(BookLine.self, id: id)?.erpRef?.value
    }
}
