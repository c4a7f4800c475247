import Basics
import Counting
import DataStore
import Models
import WarehouseModels

/// What a supervisor's decision says, before it has a place in the chain.
package struct DecisionDraft: Sendable, Hashable {
    package var kind: DecisionKind
    package var sessionID: String?
    /// Records it is about, with the revision of each as shown.
    package var targets: [(id: String, revision: Int)] = []
    package var toPersonID: String?
    package var reason: String?
    package var text: String?

    package static func == (a: DecisionDraft, b: DecisionDraft) -> Bool {
        a.kind == b.kind && a.sessionID == b.sessionID && a.toPersonID == b.toPersonID && a.reason == b.reason
            && a.text == b.text && a.targets.elementsEqual(b.targets, by: ==)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        for target in targets { hasher.combine(target.id) }
    }
}

/// The supervisor's work on the store.
package enum SupervisorJob: StoreJob {
    case findPeople(login: String?)
    case loadFloor(sessionID: String?)
    case loadLine(id: String)
    case findItems(text: String)
    case counters(session: String, bin: String)
    case decide(DecisionDraft, by: String)
    case sendAgain(Again, by: String)
    case match(code: String, item: Item, factor: Decimal3, sessionID: String, by: String)
    case say(text: String, to: String?, from: String)
    case read(alert: String, by: String)
    case seeRefusals(through: DateTime)
    case beat(person: String?, sessionID: String?, unsent: Int, parked: Int)

    /// Sending somebody who was there already: a recount where none waits, and an OVERRIDE for that person.
    package struct Again: Sendable, Hashable {
        package var sessionID: String
        package var binID: String
        package var targetID: String
        package var revision: Int
        package var person: String
        package var reason: String
    }

    /// What a job gives back.
    package enum Answer: Sendable {
        case people([Person])
        case floor(FloorSnapshot)
        case line(LineDetail?)
        case items([Item])
        case counters([CounterChoice])
        case decided([Decision])
        case matched(code: String, item: String)
        case said
        /// Something of the floor view's own changed.
        case noted
        case done
    }

    package var writes: Bool {
        switch self {
        case .findPeople, .loadFloor, .loadLine, .findItems, .counters: false
        case .decide, .sendAgain, .match, .say, .read, .seeRefusals, .beat: true
        }
    }

    package var identity: String? {
        switch self {
        case .decide(_, let person), .sendAgain(_, let person), .match(_, _, _, _, let person),
            .say(_, _, let person), .read(_, let person):
            person
        default: nil
        }
    }

    package func perform(in tx: StoreTransaction, _ environment: JobEnvironment) throws -> Answer {
        switch self {
        case .findPeople(let login):
            let people = try tx.query(Person.self).filter { $0.active && $0.roles.contains(.supervisors) }
            guard let login else { return .people(people.sorted { $0.login < $1.login }) }
            return .people(people.filter { $0.login.lowercased() == login.lowercased() })
        case .loadFloor(let id):
            return .floor(
                try FloorReader.snapshot(
                    in: tx, sessionID: id, device: environment.deviceCode, now: environment.time.now()))
        case .loadLine(let id): return .line(try FloorReader.line(id, in: tx))
        case .findItems(let text): return .items(try findItems(text, in: tx))
        case .counters(let session, let bin):
            return .counters(try FloorReader.counters(session: session, bin: bin, in: tx))
        case .decide(let draft, let person): return .decided(try decide(draft, person, in: tx, environment))
        case .sendAgain(let again, let person): return .decided(try send(again, person, in: tx, environment))
        case .match(let code, let item, let factor, let sessionID, let person):
            let id = RecordID.natural("CodeMatch", [sessionID, code], sha256: environment.sha256)
            guard try tx.get(CodeMatch.self, id: id) == nil else {
                throw JobFailure("\(code) was matched already; look again")
            }
            try tx.save(
                CodeMatch(
                    id: id, sessionID: sessionID, value: code, itemID: item.id, unit: item.baseUnit, factor: factor,
                    byID: person, at: environment.time.now()))
            return .matched(code: code, item: item.sku)
        case .say(let text, let to, let person):
            try message(.TEXT, text, to: to, from: person, in: tx, environment)
            return .said
        case .read(let alert, let person):
            try message(.READ, nil, to: nil, from: person, answers: alert, in: tx, environment)
            return .noted
        case .seeRefusals(let moment):
            try tx.setSetting(FloorReader.seenSetting, String(moment.milliseconds))
            return .noted
        case .beat(let person, let session, let unsent, let parked):
            try beat(person, session, unsent, parked, in: tx, environment)
            return .done
        }
    }

    /// A word to one person, or to everybody on the floor; that an alert was read concerns supervisors only.
    private func message(
        _ kind: WarehouseModels.MessageKind, _ text: String?, to: String?, from person: String,
        answers: String? = nil, in tx: StoreTransaction, _ environment: JobEnvironment
    ) throws {
        let number = try tx.nextSequence("message")
        let audience = to != nil ? [] : kind == .READ ? ["supervisors"] : ["counters", "supervisors"]
        try tx.save(
            Message(
                id: "\(environment.deviceCode)-M\(number)", kind: kind, fromID: person, toIDs: to.map { [$0] } ?? [],
                audience: audience, text: text, answersID: answers, sentAt: environment.time.now()))
    }

    private func send(
        _ again: Again, _ person: String, in tx: StoreTransaction, _ environment: JobEnvironment
    ) throws -> [Decision] {
        func task(_ round: Int) -> String {
            RecordID.task(session: again.sessionID, bin: again.binID, round: round, sha256: environment.sha256)
        }
        var round = 1
        var last: BinTask?
        while let task = try tx.get(BinTask.self, id: task(round)) {
            last = task
            round += 1
        }
        var made: [Decision] = []
        if last?.state != .todo {
            made += try decide(
                DecisionDraft(
                    kind: .recount, sessionID: again.sessionID, targets: [(again.targetID, again.revision)],
                    reason: again.reason), person, in: tx, environment)
        } else {
            round -= 1
        }
        made += try decide(
            DecisionDraft(
                kind: .override, sessionID: again.sessionID, targets: [(task(round), 0)], toPersonID: again.person,
                reason: again.reason), person, in: tx, environment)
        return made
    }

    private func findItems(_ text: String, in tx: StoreTransaction) throws -> [Item] {
        let typed = text.uppercased()
        if let barcode = try tx.first(Barcode.self, where: Barcode.value == normalisedCode(text)),
            let item = try tx.get(Item.self, id: barcode.itemID)
        {
            return [item]
        }
        let exact = try tx.query(Item.self, where: Item.sku == typed)
        if !exact.isEmpty { return exact }
        return try tx.query(
            Item.self, where: Item.sku.beginsWith(typed) || Item.name.containsIgnoringCase(text),
            sort: [.ascending(Item.sku)], page: .first(9))
    }

    /// Chains and saves a decision; one of more than 500 targets becomes several.
    private func decide(
        _ draft: DecisionDraft, _ person: String, in tx: StoreTransaction, _ environment: JobEnvironment
    ) throws -> [Decision] {
        var made: [Decision] = []
        var start = 0
        repeat {
            let targets = draft.targets[start..<min(start + 500, draft.targets.count)]
            let sequence = Int(try tx.nextSequence("decision"))
            let previous = try tx.setting("chain.decision") ?? ""
            var decision = Decision(
                id: RecordID.entry(device: environment.deviceCode, sequence: sequence), kind: draft.kind,
                sessionID: draft.sessionID, targetIDs: targets.map(\.id), seenRevisions: targets.map(\.revision),
                toPersonID: draft.toPersonID, reason: draft.reason, text: draft.text, byID: person,
                deviceID: environment.deviceCode, sequence: sequence, at: environment.time.now(),
                previousHash: previous, hash: "")
            let hash = RecordChain.hash(of: decision, sha256: environment.sha256)
            decision = decision.updating { $0.hash = hash }
            try tx.save(decision)
            try tx.setSetting("chain.decision", hash)
            made.append(decision)
            start += 500
        } while start < draft.targets.count
        return made
    }

    private func beat(
        _ person: String?, _ session: String?, _ unsent: Int, _ parked: Int, in tx: StoreTransaction,
        _ environment: JobEnvironment
    ) throws {
        let code = environment.deviceCode
        let last = Int(try tx.currentSequence("decision"))
        let device = Device(
            id: code, code: code, kind: .supervisor, sessionID: session, personID: person, lastSequence: last,
            unsent: unsent, parked: parked, beatAt: environment.time.now(),
            clockOffsetMs: environment.clockOffsetMilliseconds, version: "0.1")
        try tx.save(device)
    }
}
