import AppSync
import Basics
import Models

extension SubscriptionRegistry {
    /// Frames for committed changes, in commit order. Each distinct payload is encoded once and shared.
    public func publish(_ changes: [CommittedChange]) -> [RealtimeAction] {
        guard !groups.isEmpty else { return [] }
        var actions: [RealtimeAction] = []
        for change in changes {
            let model = core.engine.schema.models[change.model]
            let root = model.subscriptions[change.kind.position]
            for key in keysByRoot[root] ?? [] {
                if let group = groups[key] { publish(change, group, model, &actions) }
            }
        }
        return actions
    }

    private func publish(
        _ change: CommittedChange, _ group: SubscriptionGroup, _ model: ModelInfo, _ actions: inout [RealtimeAction]
    ) {
        if group.selection.hasRelations {
            // Related records depend on who asks.
            for member in group.members where member.wants(change.row, model.schema) {
                core.reader.relationBudget = QueryRunner.relationLimit
                let payload = payload(change, group, model, core.reader.resolver(member.request))
                actions.append(
                    .send(to: [member.connection], frame: RealtimeFrame.data(id: member.id, payload: payload)))
            }
            return
        }
        var recipients: [(id: String, connections: [UInt64])] = []
        var positions: [String: Int] = [:]
        for member in group.members where member.wants(change.row, model.schema) {
            // Clients count their ids from 1, so that many frames are alike to the last byte.
            if let position = positions[member.id] {
                recipients[position].connections.append(member.connection)
            } else {
                positions[member.id] = recipients.count
                recipients.append((member.id, [member.connection]))
            }
        }
        guard !recipients.isEmpty else { return }
        let shared = payload(change, group, model, nil)
        for (id, connections) in recipients {
            actions.append(.send(to: connections, frame: RealtimeFrame.data(id: id, payload: shared)))
        }
    }

    private func payload(
        _ change: CommittedChange, _ group: SubscriptionGroup, _ model: ModelInfo, _ relations: (any RelationResolver)?
    ) -> [UInt8] {
        var encoder = RowEncoder(core.engine.schema)
        encoder.writer.raw("{\"data\":{")
        encoder.writer.bytes.append(contentsOf: group.field.keyBytes)
        encoder.encode(change.row, group.selection, model, relations) { [.field(group.field.key)] }
        encoder.writer.raw("}")
        if !encoder.errors.isEmpty {
            encoder.writer.raw(",\"errors\":")
            encoder.writer.value(.array(encoder.errors.map(\.json)))
        }
        encoder.writer.raw("}")
        return encoder.writer.bytes
    }
}
