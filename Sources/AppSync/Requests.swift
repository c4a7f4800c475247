import Basics
import Models

/// Our own members of a request's and an answer's `extensions` (`{"bincount": {…}}`).
public enum WireExtension {
    /// The key under `extensions`.
    public static let bincount = "bincount"
    /// In a request: mutation id by alias. In an answer: `true`, such ids are understood.
    public static let mutationIDs = "mutationIds"
    /// In a request: lists of aliases that are carried out all or not at all. In an answer: `true`, such lists are
    /// understood.
    public static let atomic = "atomic"
    /// In a request: by alias, the aliases before it without which it is not carried out. In an answer: `true`, this is
    /// understood.
    public static let needs = "needs"
    /// In a request: by alias, operations by field. In an answer: `true`, they are understood.
    public static let operations = "operations"
    /// In a request: by alias, what an update's fields were before it, by field; a field that is still so takes the change
    /// though the record has another version, and of embedded values only what differs between the two changes. In an
    /// answer: `true`, this is understood. (Hubs of former versions look at embedded values alone.)
    public static let bases = "bases"
    /// In a request: by field, what is to be compared or fetched by digests. In an answer: `true` or, by field, the
    /// buckets that differ.
    public static let digest = "digest"
    /// In an answer: fields whose changes since `lastSync` are not all known any more, so that everything is given.
    public static let gap = "gap"
    /// In an answer: by field, how many rows its pages hold.
    public static let rows = "rows"
    /// In an answer: by field, what the caller's rights come to, for the rows and after a point for the fields of them:
    /// another text than before means that what is here may not be his to see any more.
    public static let rights = "rights"
    /// In a request: `true`, what leaves a filter is told. A delta then names, by field in its answer, the keys of rows that
    /// changed since `lastSync` and are outside of the filter; a subscription gives the change by which a row leaves it. In
    /// an answer: `true`, this is understood.
    public static let left = "left"
    /// In an answer: how many mutations one request may carry.
    public static let batch = "batch"
    /// In an answer: names this life of the service's database; another epoch means that all marks are void. In a request:
    /// the life that its mutations are meant for, in no other of which they are carried out.
    public static let epoch = "epoch"
    /// In an answer: the first stamp of this life. What a client knows of before it, and of another life that is not told
    /// of, is not here: the database was made anew.
    public static let began = "began"
    /// In an answer of a service that a backup was put back into: `{"began": stamp, "has": {epoch: stamp}, "since": {epoch:
    /// stamp}}`, the first stamp of this life, and from where and how far it has the earlier ones; what they committed
    /// later is lost.
    public static let lives = "lives"
}

/// Writes the bodies of the requests that a client sends.
public struct RequestWriter: Sendable {
    private var documents: Documents

    /// Starts with empty caches.
    public init(schema: Schema, md5: (@Sendable (String) -> String)? = nil) {
        documents = Documents(schema: schema, md5: md5)
    }

    /// The name of a root field.
    public func name(_ operation: ModelOperation, of model: ModelSchema) -> String {
        documents.name(operation, of: model)
    }

    /// One request for some mutations, aliased in their order.
    ///
    /// - Parameters:
    ///   - withIDs: whether the service understands mutation ids.
    ///   - epoch: the life of the service that they are meant for; nil for a service that names none.
    /// - Throws: ``FilterError`` where a condition has no form on the wire.
    public mutating func push(
        _ mutations: [OutgoingMutation], withIDs: Bool, epoch: String? = nil
    ) throws(FilterError) -> [UInt8] {
        let steps = mutations.map { MutationStep($0.model, $0.operation, hasCondition: $0.condition != nil) }
        var writer = JSONWriter(capacity: 512 + mutations.count * 640)
        writer.raw("{\"query\":")
        writer.string(documents.mutation(steps))
        writer.raw(",\"variables\":{")
        for (index, mutation) in mutations.enumerated() {
            writer.raw(index == 0 ? "\"i" : ",\"i")
            writer.integer(Int64(index))
            writer.raw("\":")
            mutation.writeInput(into: &writer)
            if let condition = mutation.condition {
                writer.raw(",\"c")
                writer.integer(Int64(index))
                writer.raw("\":")
                writer.value(try condition.conditionInput(for: mutation.model))
            }
        }
        writer.raw("}")
        if withIDs {
            writer.raw(",\"extensions\":{\"bincount\":{\"mutationIds\":{")
            for (index, mutation) in mutations.enumerated() {
                writer.raw(index == 0 ? "\"m" : ",\"m")
                writer.integer(Int64(index))
                writer.raw("\":")
                writer.string(mutation.mutationID)
            }
            writer.raw("}")
            Self.writeUnits(mutations, into: &writer)
            Self.write(WireExtension.operations, of: mutations, into: &writer) { $0.operations.map { .object($0) } }
            Self.write(WireExtension.needs, of: mutations, into: &writer) { mutation in
                mutation.needs.isEmpty ? nil : .array(mutation.needs.map { .string("m\($0)") })
            }
            Self.write(WireExtension.bases, of: mutations, into: &writer) { $0.bases.map { .object($0) } }
            if let epoch {
                writer.raw(",\"epoch\":")
                writer.string(epoch)
            }
            writer.raw("}}")
        }
        writer.raw("}")
        return writer.bytes
    }

    private static func writeUnits(_ mutations: [OutgoingMutation], into writer: inout JSONWriter) {
        var units: [(unit: Int64, aliases: [JSONValue])] = []
        for (index, mutation) in mutations.enumerated() {
            guard let unit = mutation.unit else { continue }
            let alias = JSONValue.string("m\(index)")
            if let known = units.firstIndex(where: { $0.unit == unit }) {
                units[known].aliases.append(alias)
            } else {
                units.append((unit, [alias]))
            }
        }
        guard !units.isEmpty else { return }
        writer.raw(",\"atomic\":")
        writer.value(.array(units.map { .array($0.aliases) }))
    }

    /// What some of the mutations have besides, by alias; nothing where none has any.
    private static func write(
        _ name: String, of mutations: [OutgoingMutation], into writer: inout JSONWriter,
        _ value: (OutgoingMutation) -> JSONValue?
    ) {
        var byAlias = JSONObject()
        for (index, mutation) in mutations.enumerated() {
            if let value = value(mutation) { byAlias["m\(index)"] = value }
        }
        guard !byAlias.isEmpty else { return }
        writer.raw(",\"\(name)\":")
        writer.value(.object(byAlias))
    }

    /// A request whose answer holds nothing but what the service announces of itself.
    public static let probe = Array("{\"query\":\"query Probe { __typename }\"}".utf8)

    /// One request for a page of a model's changes.
    ///
    /// - Parameters:
    ///   - lastSync: the mark to go on from, nil for everything.
    ///   - asksLeft: whether the service is to name the rows that are outside of the filter now.
    public mutating func sync(
        _ model: ModelSchema, filter: JSONValue?, limit: Int, nextToken: String?, lastSync: Int64?,
        digest: DigestRequest? = nil, asksLeft: Bool = false
    ) -> [UInt8] {
        var writer = JSONWriter(capacity: 1024)
        writer.raw("{\"query\":")
        writer.string(documents.sync(model))
        writer.raw(",\"variables\":{\"limit\":")
        writer.integer(Int64(limit))
        if let filter {
            writer.raw(",\"filter\":")
            writer.value(filter)
        }
        if let nextToken {
            writer.raw(",\"nextToken\":")
            writer.string(nextToken)
        }
        if let lastSync {
            writer.raw(",\"lastSync\":")
            writer.integer(lastSync)
        }
        writer.raw("}")
        var extensions = JSONObject()
        if let digest { extensions[WireExtension.digest] = [documents.name(.sync, of: model): digest.json] }
        if asksLeft { extensions[WireExtension.left] = true }
        Self.write(extensions, into: &writer)
        writer.raw("}")
        return writer.bytes
    }

    private static func write(_ extensions: JSONObject, into writer: inout JSONWriter) {
        guard !extensions.isEmpty else { return }
        writer.raw(",\"extensions\":")
        writer.value([WireExtension.bincount: .object(extensions)])
    }

    /// One request for a record by its key.
    public mutating func get(_ model: ModelSchema, id: String) -> [UInt8] {
        var writer = JSONWriter(capacity: 512)
        writer.raw("{\"query\":")
        writer.string(documents.get(model))
        writer.raw(",\"variables\":{")
        model.writeKey(id, into: &writer)
        writer.raw("}}")
        return writer.bytes
    }

    /// The `data` text of a `start` frame.
    ///
    /// - Parameter asksLeft: whether the service is to give the change by which a row leaves the filter.
    public mutating func subscription(
        _ operation: ModelOperation, _ model: ModelSchema, filter: JSONValue?, asksLeft: Bool = false
    ) -> String {
        var writer = JSONWriter(capacity: 512)
        writer.raw("{\"query\":")
        writer.string(documents.subscription(operation, model, filtered: filter != nil))
        writer.raw(",\"variables\":{")
        if let filter {
            writer.raw("\"filter\":")
            writer.value(filter)
        }
        writer.raw("}")
        if asksLeft { Self.write([WireExtension.left: true], into: &writer) }
        writer.raw("}")
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
