import AppSync
import Basics
import DataStore
import ModelTables
import Models

/// How a model is brought up to date whose changes since its mark are not all known: after a long absence, under another
/// scope, at a restored backend. What is here already is not fetched again where digests agree, and what the backend has
/// no more goes.
struct Reconciliation {
    enum Phase {
        /// The backend is asked which buckets differ.
        case comparing(RecordDigest)
        /// The records of those are fetched.
        case fetching(bits: Int, buckets: Set<Int>)
        /// Everything is fetched: the backend knows no digests.
        case rereading
    }

    var phase: Phase
    /// The mark that holds when all is done: nothing before it is missed.
    var startedAt: Int64?
    /// Hashes of the keys that came.
    var seen: Set<UInt64> = []
    /// A row came without its key (a null, say): it may be any of those that did not come.
    var isBlind = false

    /// What goes into the request.
    var request: DigestRequest? {
        switch phase {
        case .comparing(let digest): .compare(digest)
        case .fetching(let bits, let buckets): .fetch(bits: bits, buckets: buckets)
        case .rereading: nil
        }
    }

    var isComparing: Bool { if case .comparing = phase { true } else { false } }
    var isFetching: Bool { if case .fetching = phase { true } else { false } }

    /// Whether a record that the backend did not give should have come.
    func misses(_ id: String) -> Bool {
        let hash = RecordDigest.hash(id)
        if seen.contains(hash) { return false }
        switch phase {
        case .comparing: return false
        case .fetching(let bits, let buckets):
            return buckets.contains(RecordDigest.bucket(of: hash, bits: bits))
        case .rereading: return true
        }
    }
}

extension SyncSession {
    /// Prepares a reconciliation where a model with confirmed rows is fetched from the beginning.
    func prepareReconciliation(_ model: ModelSchema, _ mark: inout SyncMark) throws {
        let sweepKey = Self.sweepKey + model.name
        if mark.lastSync == nil, mark.nextToken != nil, reconciliations[model.name] == nil,
            try core.driverState(sweepKey) != nil
        {
            // What came before the restart is not known any more, so that nothing could be missed: from the beginning.
            mark.nextToken = nil
            mark.startedAt = nil
        }
        // A digest that is sent again is made again: more may be confirmed since.
        guard mark.lastSync == nil, mark.nextToken == nil, reconciliations[model.name]?.isComparing ?? true else {
            return
        }
        let rows = try core.confirmedCount(model.name)
        guard rows > 0 else { return }
        // Digests tell versions apart: fields that rows of the same version lack come only with all of them.
        // Of what a limit keeps away no digest can agree.
        if profile.comparesDigests, !core.lacksFields(model.name), options.scope.limits[model.name] == nil {
            var digest = RecordDigest(forRows: rows)
            try core.forEachConfirmed(model.name) { digest.add(id: $0, version: $1) }
            reconciliations[model.name] = Reconciliation(phase: .comparing(digest))
        } else {
            try core.setDriverState(sweepKey, "1")
            reconciliations[model.name] = Reconciliation(phase: .rereading)
        }
    }

    /// The backend said which buckets differ: those are fetched, or all is well.
    func compared(_ page: SyncPage, _ tail: AnswerTail, _ id: Int, _ model: ModelSchema, _ mark: SyncMark) {
        guard case .comparing(let digest)? = reconciliations[model.name]?.phase else { return }
        let field = requests.name(.sync, of: model)
        guard let list = tail.bincount?[WireExtension.digest]?[field]?.array else {
            // It does not compare after all.
            reconciliations[model.name] = nil
            profile.comparesDigests = false
            run(pull.handle(.page(request: id, isLast: false)))
            return
        }
        let buckets = Set(list.compactMap { $0.integer.map { Int(truncatingIfNeeded: $0) } })
        reconciliations[model.name]?.startedAt = page.startedAt
        guard !buckets.isEmpty else { return apply(page, tail, id, model, mark) }
        reconciliations[model.name]?.phase = .fetching(bits: digest.bits, buckets: buckets)
        run(pull.handle(.handedOver(from: id, to: send(model, mark))))
    }

    /// The changes since the mark are not all known to the backend: from the beginning, with what is here.
    func gapFound(_ id: Int, _ model: ModelSchema, _ mark: SyncMark) {
        tellOfTruncation(model.name)
        log("\(model.name) was away for too long to fetch only its changes; all of it is compared")
        let anew = SyncMark(model: model.name, scope: mark.scope, epoch: epoch)
        if attempt({ try core.setMark(anew) }) {
            run(pull.handle(.page(request: id, isLast: false)))
        } else {
            run(pull.handle(.failed(request: id, retryAfter: nil)))
        }
    }

    /// Whether a page says, or its times tell, that deletions since the mark may be forgotten.
    func isGap(_ page: SyncPage, _ tail: AnswerTail, _ model: ModelSchema, _ mark: SyncMark) -> Bool {
        guard let lastSync = mark.lastSync, mark.nextToken == nil else { return false }
        if tail.bincount != nil {
            let field = requests.name(.sync, of: model)
            return tail.bincount?[WireExtension.gap]?.array?.contains(.string(field)) ?? false
        }
        return page.startedAt.map { $0 - lastSync > options.tombstoneLifetime } ?? false
    }

    /// Lets go of what the backend has no more, once all pages came; gives how many rows went. Where a limit cut the pages
    /// off, what did not come goes too, for nobody can say whether it is still so.
    func sweep(_ model: ModelSchema, _ reconciliation: Reconciliation, isTruncated: Bool) throws -> Int {
        if reconciliation.isBlind {
            log("\(model.name) came with rows that cannot be told apart: none that did not come is let go of")
            try core.setDriverState(Self.sweepKey + model.name, nil)
            return 0
        }
        var swept = 0
        let filter = options.scope.filters[model.name]
        let isAsked = { (record: Record) in (try? filter?.matches(record)) ?? true }
        let kept = try core.driverState(Self.keepKey)?.split(separator: " ").map(String.init) ?? []
        if kept.contains(model.name) {
            let left = kept.filter { $0 != model.name }
            try core.setDriverState(Self.keepKey, left.isEmpty ? nil : left.joined(separator: " "))
        }
        if kept.contains(model.name), isTruncated {
            // Nobody can say of what did not come whether the restored backend lacks it: it stays.
            log("\(model.name) has a limit: what did not come of it from the restored backend stays as it is")
        } else if kept.contains(model.name) {
            // A restored backend lacks what came after its backup; nobody deleted that.
            let known = try core.journaledIDs(model.name)
            let disowned = try core.disown(model: model.name) {
                !known.contains(ByteText($0)) && reconciliation.misses($0)
            }
            if disowned > 0 { tellOfDisowned(disowned, model) }
            if let startedAt = reconciliation.startedAt {
                // What is left was had by the backend, where that is known: it was deleted, or is not for the reader.
                let isTold = core.knowsEarlierLives
                swept = try core.sweep(
                    model: model.name, changedUpTo: startedAt, reader: options.person, isAsked: isAsked
                ) {
                    (isTold || known.contains(ByteText($0))) && reconciliation.misses($0)
                }
            }
        } else if let startedAt = reconciliation.startedAt {
            swept = try core.sweep(
                model: model.name, changedUpTo: startedAt, reader: options.person, isAsked: isAsked
            ) {
                reconciliation.misses($0)
            }
            if swept > 0 { log("\(swept) rows of \(model.name) are gone at the backend") }
        }
        try core.setDriverState(Self.sweepKey + model.name, nil)
        return swept
    }

    private func log(_ text: String) { core.options.log(.notice, text) }

    /// The models of which the next reconciliation keeps what the backend has not.
    static let keepKey = "keepUnknown"
    private static let sweepKey = "sweep."
}
