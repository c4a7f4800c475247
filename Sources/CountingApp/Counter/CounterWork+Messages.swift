import Basics
import Counting
import DataStore
import Models
import Screens
import WarehouseModels

extension CounterWork {
    static func clock(_ time: DateTime) -> String { String(time.iso8601.dropFirst(11).prefix(5)) }

    /// The newest messages that are for the person signed in; others' may lie in the same store.
    func inbox(limit: Int) throws -> [Message] {
        guard let me = personID, let person = try tx.get(Person.self, id: me) else { return [] }
        let groups = Set(person.roles.map(\.rawValue))
        var found: [Message] = []
        try tx.forEach(
            Message.self, where: Message.kind != MessageKind.READ, sort: [.descending(Message.sentAt)]
        ) { message in
            if message.fromID == me || message.toIDs.contains(me) || !groups.isDisjoint(with: message.audience) {
                found.append(message)
            }
            return found.count < limit
        }
        return found
    }

    func messages() throws -> [FoundRow] {
        try inbox(limit: 50).map { FoundRow(cells: [:], pick: .news(try news($0))) }
    }

    /// A message as the screens show it.
    func news(_ message: Message) throws -> News {
        let isOwn = message.fromID == personID
        return News(
            id: message.id, time: CounterWork.clock(message.sentAt),
            who: message.kind == .ALERT ? nil : try name(of: message.fromID), text: message.text ?? "",
            to: isOwn ? try message.toIDs.first.map { try name(of: $0) } : nil)
    }

    mutating func say(_ text: String, to recipient: Recipient) throws -> Outcome {
        let me = try requirePerson()
        let number = try tx.nextSequence("message")
        var message = Message(
            id: "\(environment.deviceCode)-m\(number)", kind: .TEXT, fromID: me, toIDs: [],
            audience: ["supervisors", "counters"], text: text, sentAt: now)
        switch recipient {
        case .floor: break
        case .supervisors: message = message.updating { $0.audience = ["supervisors"] }
        case .person(let id):
            message = message.updating {
                $0.toIDs = [id]
                $0.audience = []
            }
        }
        try tx.save(message)
        showsFloor = true
        return .said(ScreenMessage("message.sent"), .accepted)
    }

    /// Whom a message can go to: those who count now, then all others who work here, by name.
    func mates(among people: [Person], counting: [String]) -> [(id: String, name: String)] {
        let others = people.filter { $0.active && $0.id != personID && !$0.roles.contains(.desk) }
        return others.map { (id: $0.id, name: $0.name) }.sorted { a, b in
            let (left, right) = (counting.contains(a.id), counting.contains(b.id))
            return left == right ? (a.name, a.id) < (b.name, b.id) : left
        }
    }

    /// What codes that this person counted as unknown turned out to be since `known`; with nil there is no news yet.
    func learned(_ known: Set<String>?) throws -> Outcome {
        guard let me = personID, let session = try openPass()?.sessionID ?? sessions().first?.id else { return .none }
        let all = try tx.query(
            CodeMatch.self, where: CodeMatch.sessionID == session, sort: [.ascending(CodeMatch.at)])
        let ids = Set(all.map(\.id))
        guard let known, !ids.isSubset(of: known) else { return .matched([], known: ids) }
        let unknown = try tx.query(
            CountEntry.self,
            where: CountEntry.sessionID == session && CountEntry.kind == EntryKind.UNKNOWN && CountEntry.authorID == me)
        let mine = Set(unknown.compactMap { $0.code.map { normalisedCode($0) } })
        let fresh = all.filter { !known.contains($0.id) && mine.contains(normalisedCode($0.value)) }
        let codes = try fresh.map { match in
            LearnedCode(
                code: match.value, item: try tx.get(Item.self, id: match.itemID)?.sku ?? match.itemID,
                unit: match.factor == 1 ? match.unit : "\(match.unit) x \(match.factor)",
                time: CounterWork.clock(match.at))
        }
        return .matched(codes, known: ids)
    }
}
