import AppSync
import Basics
import Models

extension SubscriptionRegistry {
    /// Frames for committed changes, in commit order. Each distinct payload is encoded once and shared.
    public mutating func publish(_ changes: [CommittedChange]) -> [RealtimeAction] {
        var actions: [RealtimeAction] = []
        publish(changes, pieceBytes: .max) { actions += $0 }
        return actions
    }

    /// Hands the frames for committed changes over piece by piece, so that never all of them are in memory.
    ///
    /// - Parameter pieceBytes: A piece is handed over once its frames have as many bytes.
    mutating func publish(
        _ changes: [CommittedChange], pieceBytes: Int, _ perform: ([RealtimeAction]) -> Void
    ) {
        guard !groups.isEmpty else { return }
        // What was withdrawn before these changes were committed shows none of them.
        var piece = Piece(limit: pieceBytes, actions: refreshedRights())
        var costs = EventCosts()
        for change in changes {
            let model = core.engine.schema.models[change.model]
            let root = model.subscriptions[change.kind.position]
            for key in keysByRoot[root] ?? [] {
                if let group = groups[key] { publish(change, group, model, &costs, &piece, perform) }
                // One change of many long events does not wait for its end.
                if costs.most > EventCosts.long {
                    for connection in charge(&costs) { piece.actions += comeBack(connection) }
                }
            }
            for connection in charge(&costs) { piece.actions += comeBack(connection) }
        }
        perform(piece.actions)
    }

    /// Frames that are handed over together.
    private struct Piece {
        let limit: Int
        var actions: [RealtimeAction]
        private var bytes = 0

        init(limit: Int, actions: [RealtimeAction]) {
            self.limit = limit
            self.actions = actions
        }

        mutating func send(_ frame: [UInt8], to connections: [UInt64], _ perform: ([RealtimeAction]) -> Void) {
            actions.append(.send(to: connections, frame: frame))
            bytes += frame.count
            guard bytes >= limit else { return }
            perform(actions)
            (actions, bytes) = ([], 0)
        }
    }

    private mutating func publish(
        _ change: CommittedChange, _ group: SubscriptionGroup, _ model: ModelInfo, _ costs: inout EventCosts,
        _ piece: inout Piece, _ perform: ([RealtimeAction]) -> Void
    ) {
        if group.selection.hasRelations {
            // Related records depend on who asks.
            for member in group.members where !costs.dropped.contains(member.connection) {
                let began = core.time.uptime()
                let taken = member.take(change, model.schema)
                costs.add(core.time.uptime() - began, of: [member])
                guard let (row, hidden) = taken else { continue }
                let (reader, caller) = (core.reader, member.request.rights.caller)
                costs.begin(member.connection, caller, reader)
                let (payload, denied) = reader.besideCommits(for: caller) {
                    self.payload(row, hidden, group, model, reader.resolver(member.request))
                }
                costs.end(member.connection, reader)
                note(denied, to: member, group)
                piece.send(member.frame(payload), to: [member.connection], perform)
            }
            return
        }
        let began = core.time.uptime()
        // Nearly always one: what a row shows differs by reader only where fields have rules of their own.
        var views: [View] = []
        // By position: a member that is looked at where it lies is not copied, which took as long as asking his rights.
        for position in group.members.indices where !costs.dropped.contains(group.members[position].connection) {
            guard let (row, hidden) = group.members[position].take(change, model.schema) else { continue }
            let isDeparture = row.deleted != change.row.deleted
            let index = views.firstIndex { $0.hidden == hidden && $0.isDeparture == isDeparture } ?? views.count
            if index == views.count { views.append(View(row: row, hidden: hidden, isDeparture: isDeparture)) }
            views[index].add(position, group.members[position].frameKey, group.members[position].connection)
            if !hidden.isEmpty { views[index].members.append(position) }
        }
        costs.add(core.time.uptime() - began, of: group.members)
        for view in views {
            let began = core.time.uptime()
            let (shared, denied) = payload(view.row, view.hidden, group, model, nil)
            costs.add(core.time.uptime() - began, of: group.members)
            if !denied.isEmpty { for position in view.members { note(denied, to: group.members[position], group) } }
            for (first, connections) in view.recipients {
                piece.send(group.members[first].frame(shared), to: connections, perform)
            }
        }
    }

    /// Takes the time that a change's events took beyond what every subscriber may take from those who took it.
    ///
    /// - Returns: the connections of those who have nothing left, which are to be dropped: they catch up by a delta.
    private mutating func charge(_ costs: inout EventCosts) -> [UInt64] {
        let now = core.time.uptime()
        var dropped: [UInt64] = []
        for (payer, (milliseconds, connections)) in costs.takeTimes() {
            // A microsecond for each of a fleet's connections is free as well.
            let free = EventCosts.free + Int64(connections.count / 1_000)
            guard milliseconds > free else { continue }
            allowance.spend(milliseconds - free, by: payer, now: now)
            guard allowance.isSpent(by: payer, now: now) else { continue }
            dropped += connections.subtracting(costs.dropped)
            costs.drop(connections)
        }
        return dropped.sorted()
    }

    /// What the events of these changes have cost.
    private struct EventCosts {
        /// Milliseconds of each change that one caller's subscriptions may take: many terminals under one key, and a clock
        /// that ticks in between.
        static let free: Int64 = 1
        /// Milliseconds after which they are taken from a caller's allowance before the change is over.
        static let long: Int64 = 250
        /// Connections that get no more of them.
        private(set) var dropped: Set<UInt64> = []
        /// What the filters and events of one change took, by whose they are.
        private var times: [String: (milliseconds: Int64, connections: Set<UInt64>)] = [:]
        /// The most that one caller's took.
        private(set) var most: Int64 = 0
        /// What relations cost, by connection: many subscriptions of one connection cost the others no more than one does.
        private var spent: [UInt64: (budget: RequestBudget, paused: Int64)] = [:]

        /// Notes time that was taken for some subscriptions, for each caller by what his compare: what many share costs each
        /// of them next to nothing.
        mutating func add(_ spent: Int64, of members: [Subscription]) {
            guard spent > 0 else { return }
            var weights: [String: Int64] = [:]
            for member in members {
                weights[member.payer, default: 0] += Int64(1 + member.filter.parts)
                times[member.payer, default: (0, [])].connections.insert(member.connection)
            }
            let whole = weights.values.reduce(0, +)
            for (payer, weight) in weights {
                times[payer]?.milliseconds += spent * weight / whole
                most = max(most, times[payer]?.milliseconds ?? 0)
            }
        }

        /// What was noted since this was asked last.
        mutating func takeTimes() -> [String: (milliseconds: Int64, connections: Set<UInt64>)] {
            defer { (times, most) = ([:], 0) }
            return times
        }

        mutating func drop(_ connections: Set<UInt64>) { dropped.formUnion(connections) }

        func begin(_ connection: UInt64, _ caller: Caller, _ reader: QueryRunner) {
            guard var known = spent[connection] else {
                reader.budget = reader.budgetBesideCommits(for: caller)
                return
            }
            known.budget.resume(after: known.paused)
            reader.budget = known.budget
        }

        mutating func end(_ connection: UInt64, _ reader: QueryRunner) {
            spent[connection] = (reader.budget, reader.budget.pause())
        }
    }

    /// A change as some subscribers see it, and who they are.
    private struct View {
        let row: HubRow
        let hidden: Hidden
        let isDeparture: Bool
        /// Their positions, where something is hidden from them.
        var members: [Int] = []
        /// By the frame that they get: the position of the first of them, and all connections.
        private(set) var recipients: [(first: Int, connections: [UInt64])] = []
        private var positions: [ByteText: Int] = [:]
        private var latest: (key: ByteText, position: Int)?

        init(row: HubRow, hidden: Hidden, isDeparture: Bool) {
            self.row = row
            self.hidden = hidden
            self.isDeparture = isDeparture
        }

        mutating func add(_ member: Int, _ frameKey: ByteText, _ connection: UInt64) {
            // Clients count their ids from 1, so that many frames are alike to the last byte, most often to the one before.
            if let latest, latest.key == frameKey {
                recipients[latest.position].connections.append(connection)
                return
            }
            let position = positions[frameKey] ?? recipients.count
            if position == recipients.count {
                positions[frameKey] = position
                recipients.append((member, []))
            }
            latest = (frameKey, position)
            recipients[position].connections.append(connection)
        }
    }

    private func payload(
        _ row: HubRow, _ hidden: Hidden, _ group: SubscriptionGroup, _ model: ModelInfo,
        _ relations: (any RelationResolver)?
    ) -> (bytes: [UInt8], denied: [FieldDenied]) {
        var encoder = RowEncoder(core.engine.limits)
        encoder.writer.raw("{\"data\":{")
        encoder.writer.bytes.append(contentsOf: group.field.keyBytes)
        encoder.encode(row, group.selection, model, relations, hidden: hidden) { [.field(group.field.key)] }
        encoder.writer.raw("}")
        if !encoder.errors.isEmpty {
            encoder.writer.raw(",\"errors\":")
            encoder.writer.value(encoder.errors.json)
        }
        encoder.writer.raw("}")
        return (encoder.writer.bytes, encoder.errors.takeDenied())
    }

    /// Logs what an event hides of its record from a subscriber: each field once for a connection.
    private mutating func note(_ denied: [FieldDenied], to member: Subscription, _ group: SubscriptionGroup) {
        for field in denied {
            let act = AccessLog.Act(
                operation: group.field.definition.name, model: field.type, field: field.field,
                request: member.request.id)
            guard connections[member.connection]?.toldHidden.insert(act).inserted == true else { continue }
            core.engine.accessLog.refused(member.request.rights.caller, act, "no rule gives the field for listen")
        }
    }
}
