import Basics
import Counting
import DataStore
import Models
import WarehouseModels

extension Desk {
    /// Carries the next decision out, or a part of it; gives whether there was one to work on.
    mutating func decideNext(
        in tx: StoreTransaction, now: DateTime, _ outcome: inout DeskOutcome
    ) throws -> Bool {
        let waiting = Decision.result.exists(false) || Decision.result == .waiting
        let all = try tx.query(
            Decision.self, where: waiting, sort: [.ascending(Decision.at), .ascending(Decision.sequence)])
        for decision in all {
            switch try checkChain(decision, in: tx, now: now) {
            case .intact: break
            case .gap(let text):
                try answer(decision, .waiting, text, in: tx, now: now)
                continue
            case .broken(let text):
                try alert(text, about: decision.id, key: ["chain", decision.id], in: tx, now: now)
                try answer(decision, .refused, text, in: tx, now: now)
                outcome.hasMore = true
                return true
            }
            switch try judgeWork(before: decision, in: tx, now: now, &outcome) {
            case .done: break
            case .underWay:
                outcome.hasMore = true
                return true
            case .waits(let count):
                try answer(decision, .waiting, DeskText.waitsForWork(["count": "\(count)"]), in: tx, now: now)
                continue
            }
            do {
                if let text = try carryOut(decision, in: tx, now: now, &outcome) {
                    try answer(decision, .done, text.isEmpty ? nil : text, in: tx, now: now)
                } else {
                    try answer(decision, .waiting, nil, in: tx, now: now)
                }
            } catch let refusal as Refusal {
                try answer(decision, .refused, refusal.description, in: tx, now: now)
            } catch let refusal as DecisionRefusal {
                try answer(decision, .refused, refusal.description, in: tx, now: now)
            }
            outcome.hasMore = true
            return true
        }
        hasDecisions = false
        return false
    }

    private func answer(
        _ decision: Decision, _ result: DecisionResult, _ text: String?, in tx: StoreTransaction, now: DateTime
    ) throws {
        guard decision.result != result || decision.resultText != text else { return }
        try tx.save(
            decision.updating {
                $0.result = result
                $0.resultText = text
                $0.resultAt = now
            })
    }

    private enum ChainState {
        case intact
        case gap(String)
        case broken(String)
    }

    private mutating func checkChain(
        _ decision: Decision, in tx: StoreTransaction, now: DateTime
    ) throws -> ChainState {
        let device = decision.deviceID
        if let known = chains[device], decision.sequence <= known.sequence {
            let isSame = RecordChain.hash(of: decision, sha256: sha256) == decision.hash
            return isSame ? .intact : .broken(DeskText.notSigned(["decision": decision.id]))
        }
        let known = chains[device] ?? (0, "")
        let rest = try tx.query(
            Decision.self,
            where: Decision.deviceID == device && Decision.sequence > known.sequence
                && Decision.sequence <= decision.sequence, sort: [.ascending(Decision.sequence)])
        let report = RecordChain.verify(rest, after: known, sha256: sha256)
        if let broken = report.firstBroken {
            if case .gap(let missing) = broken.fault {
                return .gap(DeskText.waitsForEarlier(["count": "\(missing.count)", "terminal": device]))
            }
            return .broken(DeskText.chainBroken(["terminal": device, "decision": broken.id]))
        }
        if let last = rest.last { chains[device] = (last.sequence, last.hash) }
        return .intact
    }

    /// Does what a decision asks for; gives what to say about it, nil while there is more to do.
    private mutating func carryOut(
        _ decision: Decision, in tx: StoreTransaction, now: DateTime, _ outcome: inout DeskOutcome
    ) throws -> String? {
        switch decision.kind {
        case .release: return try release(decision, in: tx, now: now) ? "" : nil
        case .stop: return try stop(decision, in: tx, now: now)
        case .close: return try close(decision, in: tx, now: now)
        case .cancel: return try cancel(decision, in: tx, now: now)
        case .approve where decision.targetIDs.isEmpty: return try approveSession(decision, in: tx)
        case .approve, .recount, .waive: return try decideLines(decision, in: tx, now: now, &outcome)
        case .assign:
            for task in try tasks(decision, in: tx) {
                try put(
                    task.updating {
                        $0.assigneeID = decision.toPersonID
                        $0.reservedUntil = decision.toPersonID == nil ? nil : now.advanced(by: 4 * 3_600_000)
                    }, in: tx)
            }
            return ""
        case .override:
            guard let person = decision.toPersonID else { throw Refusal(.namesNobody) }
            guard decision.reason?.isEmpty == false else { throw DecisionRefusal.reasonMissing }
            for task in try tasks(decision, in: tx) {
                try put(
                    task.updating {
                        $0.notForIDs = task.notForIDs.filter { $0 != person }
                        $0.assigneeID = person
                    }, in: tx)
            }
            return ""
        case .add_up, .compare, .hand_over:
            if decision.kind != .hand_over, decision.targetIDs.count < 2 { throw Refusal(.takesTwo) }
            if decision.kind == .hand_over, decision.toPersonID == nil { throw Refusal(.namesNobody) }
            try touch(decision, in: tx)
            return ""
        case .late_take: return try takeLate(decision, in: tx, now: now)
        case .late_leave:
            guard decision.reason?.isEmpty == false else { throw DecisionRefusal.reasonMissing }
            return ""
        case .device_lost:
            guard !decision.targetIDs.isEmpty else { throw Refusal(.namesNoTerminal) }
            for id in decision.targetIDs where try tx.get(Device.self, id: id) == nil {
                throw Refusal(.terminalUnknown, ["terminal": "\(id)"])
            }
            return ""
        case .export: return try export(decision, in: tx, now: now)
        case .resend: return try resend(decision, in: tx, now: now)
        case .posted_by_hand: return try settleByHand(decision, in: tx)
        }
    }

    func session(_ decision: Decision, in tx: StoreTransaction) throws -> CountSession {
        guard let session = try decision.sessionID.flatMap({ try tx.get(CountSession.self, id: $0) }) else {
            throw Refusal(.countUnknown)
        }
        return session
    }

    private func tasks(_ decision: Decision, in tx: StoreTransaction) throws -> [BinTask] {
        let found = try decision.targetIDs.compactMap { try tx.get(BinTask.self, id: $0) }
        guard !found.isEmpty, found.count == decision.targetIDs.count else { throw Refusal(.taskUnknown) }
        return found
    }

    /// Judges the bins again that a decision about passes, entries or tasks concerns.
    private mutating func touch(_ decision: Decision, in tx: StoreTransaction) throws {
        for target in decision.targetIDs {
            if let place = places[target] { dirty.insert(place) }
            if let entry = try tx.get(CountEntry.self, id: target), let place = places[entry.passID] {
                dirty.insert(place)
            }
            if let task = try tx.get(BinTask.self, id: target) {
                dirty.insert(Place(session: task.sessionID, bin: task.binID))
            }
        }
    }

    /// Approves, recounts or waives line by line: one that is refused holds no other.
    private mutating func decideLines(
        _ decision: Decision, in tx: StoreTransaction, now: DateTime, _ outcome: inout DeskOutcome
    ) throws -> String {
        guard decision.targetIDs.count == decision.seenRevisions.count else {
            throw Refusal(.noRevision)
        }
        for place in try places(of: decision, in: tx) { try judgeAll(place, in: tx, now: now, &outcome) }
        var refused: [String] = []
        for (target, seen) in zip(decision.targetIDs, decision.seenRevisions) {
            do {
                try decideOne(decision, target, seen, in: tx, now: now)
            } catch let refusal as DecisionRefusal {
                refused.append(try told("\(refusal)", target, of: decision, in: tx))
            } catch let refusal as Refusal {
                refused.append(try told("\(refusal)", target, of: decision, in: tx))
            }
        }
        guard refused.count < decision.targetIDs.count else { throw Refusal(all: refused) }
        let done = decision.targetIDs.count - refused.count
        let part = DeskText.part(["done": "\(done)", "all": "\(decision.targetIDs.count)"])
        return refused.isEmpty ? "" : ([part] + refused).joined(separator: "; ")
    }

    /// A refusal with the bin and item it is about, where it is one of several.
    private func told(
        _ refusal: String, _ target: String, of decision: Decision, in tx: StoreTransaction
    ) throws -> String {
        guard decision.targetIDs.count > 1 else { return refusal }
        var name = target
        if let verdict = try tx.get(LineVerdict.self, id: target) {
            let bin = try tx.get(Bin.self, id: verdict.binID)?.code
            let sku = try tx.get(Item.self, id: verdict.itemID)?.sku
            name = [bin, sku].compactMap(\.self).joined(separator: " ")
        } else if let task = try tx.get(BinTask.self, id: target) {
            name = task.binCode
        }
        return "\(name): \(refusal)"
    }

    private mutating func decideOne(
        _ decision: Decision, _ target: String, _ seen: Int, in tx: StoreTransaction, now: DateTime
    ) throws {
        guard let verdict = try tx.get(LineVerdict.self, id: target) else {
            return try decideOther(decision, target, in: tx)
        }
        guard let session = try tx.get(CountSession.self, id: verdict.sessionID), Desk.isOpen(session) else {
            throw Refusal(.countOver)
        }
        let place = Place(session: verdict.sessionID, bin: verdict.binID)
        switch decision.kind {
        case .approve:
            guard let facts = try binCase(place, in: tx) else { throw Refusal(.binUnknown) }
            let item = try tx.get(Item.self, id: verdict.itemID)
            let cost = try unitCost(verdict.itemID, in: tx)
            var chosen: LineReading?
            if let name = decision.text, !name.isEmpty {
                let readings = facts.opinions.compactMap { LineReading(LineKey(verdict), in: $0, book: facts.book) }
                chosen = readings.first { $0.opinionID == name || $0.passIDs.contains(name) }
                if chosen == nil { throw Refusal(.noSuchCount, ["pass": "\(name)"]) }
            }
            let variance = chosen?.variance ?? verdict.variance ?? .zero
            let value = cost.flatMap { variance.valued(at: $0) } ?? .zero
            let roles = try tx.get(Person.self, id: decision.byID).map { Set($0.roles.map(\.rawValue)) }
            let mayApprove = ApprovalBands(try tx.query(Rule.self), at: now).allows(
                roles ?? ["supervisors"], value: value, abcClass: item?.abcClass, zoneID: facts.bin.zoneID)
            try tx.save(
                try VerdictRevision.approved(
                    verdict, by: decision, seenRevision: seen, people: facts.opinions.excludedPeople,
                    mayApprove: mayApprove, choosing: chosen, unitCost: cost))
            dirty.insert(place)
        case .recount:
            let revised = try VerdictRevision.recounted(verdict, by: decision, seenRevision: seen)
            // It may refuse the person, and what is refused leaves nothing behind.
            try addRound(
                place, .RECOUNT, reason: decision.reason ?? "asked for", person: decision.toPersonID, in: tx)
            recounts[place] = nil
            try tx.save(revised)
        default:
            try tx.save(try VerdictRevision.waived(verdict, by: decision, seenRevision: seen))
        }
    }

    /// Waiving a bin, or dropping a line that the ERP refused; recounting a whole bin.
    private func decideOther(_ decision: Decision, _ target: String, in tx: StoreTransaction) throws {
        if let task = try tx.get(BinTask.self, id: target), decision.kind != .approve {
            if decision.kind == .recount {
                let place = Place(session: task.sessionID, bin: task.binID)
                return try addRound(
                    place, .RECOUNT, reason: decision.reason ?? "asked for", person: decision.toPersonID, in: tx)
            }
            guard decision.reason?.isEmpty == false else { throw DecisionRefusal.reasonMissing }
            guard task.state != .counted else { throw Refusal(.binCounted) }
            return try put(task.updating { $0.state = .waived }, in: tx)
        }
        if let line = try tx.get(ExportLine.self, id: target), decision.kind == .waive {
            guard decision.reason?.isEmpty == false else { throw DecisionRefusal.reasonMissing }
            guard line.state == .rejected || line.state == .held else {
                throw Refusal(.lineIs, ["state": line.state.rawValue])
            }
            return try put(
                line.updating {
                    $0.state = .dropped
                    $0.error = decision.reason
                }, in: tx)
        }
        throw Refusal(.notKnown)
    }
}
