import DataStore
import Models

/// A sync that somebody asked for and waits for.
struct ManualSync {
    let id: Int
    let models: Set<String>?
    /// Models that are still to be fetched.
    var left: Set<String>
    /// The last outbox entry that counts: later ones are not waited for.
    let lastOrder: Int64
    /// So many of its entries waited at the beginning.
    let waiting: Int
    /// So many waited for a person then.
    let parked: Int
    var counts = SyncCounts()
}

extension SyncSession {
    func syncNow(_ id: Int, _ models: Set<String>?) {
        guard isRunning else { return perform(.synced(id: id, .failed("synchronising is stopped"))) }
        let asked = receivedModels.filter { models?.contains($0.name) ?? true }
        let names = asked.filter { !isHeld($0) }.map(\.name)
        var last: Int64 = 0
        var waiting = 0
        var parked = 0
        let isReadable = attempt {
            (waiting, last) = try core.waiting(of: models, upTo: .max)
            parked = try core.parkedCount(of: models)
        }
        guard isReadable else {
            return perform(.synced(id: id, .failed("the outbox cannot be read")))
        }
        var sync = ManualSync(
            id: id, models: models, left: Set(names), lastOrder: last, waiting: waiting, parked: parked)
        sync.counts.unfetched = Set(asked.map(\.name)).subtracting(names)
        manualSyncs.append(sync)
        if case .paused(let reason) = pull.state { return endManualSyncs(reason) }
        // What is under way is fetched once more after: it may have been asked for before this.
        run(pull.handle(.round(pull.queue + names.filter { !pull.queue.contains($0) })))
        run(pull.handle(.linkUp))
        run(outbox.handle(.linkUp))
        run(outbox.handle(.wake))
    }

    /// Notes rows that came, for whoever waits.
    func countReceived(_ model: String, _ rows: Int) {
        for index in manualSyncs.indices where manualSyncs[index].models?.contains(model) ?? true {
            manualSyncs[index].counts.received += rows
        }
    }

    /// Notes that a model is complete.
    func countFetched(_ model: String) {
        status.deniedModels.remove(model)
        status.unfetchedModels.remove(model)
        for index in manualSyncs.indices { manualSyncs[index].left.remove(model) }
    }

    /// Notes that a model is not given to this caller.
    func countDenied(_ model: String) {
        status.deniedModels.insert(model)
        for index in manualSyncs.indices where manualSyncs[index].left.remove(model) != nil {
            manualSyncs[index].counts.denied.insert(model)
        }
    }

    /// Notes that a model could not be fetched.
    func countUnfetched(_ model: String) {
        status.unfetchedModels.insert(model)
        for index in manualSyncs.indices where manualSyncs[index].left.remove(model) != nil {
            manualSyncs[index].counts.unfetched.insert(model)
        }
    }

    /// Models that are not fetched any more are waited for by nobody.
    func forgetUnreceived() {
        let received = Set(receivedModels.map(\.name))
        for index in manualSyncs.indices { manualSyncs[index].left.formIntersection(received) }
    }

    /// Answers those of which nothing is left, and all where the link is gone.
    func concludeManualSyncs() {
        guard !manualSyncs.isEmpty else { return }
        switch (pull.state, outbox.state) {
        case (.paused(let reason), _), (_, .paused(let reason)): return endManualSyncs(reason)
        case _ where fetchHindrance != nil: return endManualSyncs(fetchHindrance ?? "")
        case (.waiting, _), (_, .waiting): return endManualSyncs("the backend cannot be reached now; it is tried again")
        default: break
        }
        for sync in manualSyncs where sync.left.isEmpty {
            var left = 0
            var parked = 0
            guard
                attempt({
                    left = try core.waiting(of: sync.models, upTo: sync.lastOrder).count
                    parked = try core.parkedCount(of: sync.models)
                })
            else { continue }
            // What waits behind something parked, or for its time, is not waited for.
            guard left == 0 || (outbox.inFlight.isEmpty && unsettled.isEmpty) else { continue }
            var counts = sync.counts
            counts.sent = max(sync.waiting - left - max(parked - sync.parked, 0), 0)
            counts.parked = parked
            manualSyncs.removeAll { $0.id == sync.id }
            perform(.synced(id: sync.id, .done(counts)))
        }
    }

    func endManualSyncs(_ reason: String) {
        let ended = manualSyncs
        manualSyncs.removeAll()
        for sync in ended { perform(.synced(id: sync.id, .failed(reason))) }
    }
}
