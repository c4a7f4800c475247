import Basics
import Models

/// AppSync's automerge of an update that was made on a stale version (`appsync-protocol.md` §3.2).
///
/// What is there wins, what is missing is taken, lists grow, sets are united, maps are merged member by member. It looks
/// at records as AppSync would have stored them: an `AWSJSON` is the map, list or scalar that it holds.
///
/// AppSync does not know what a field was to whoever changed it. Clients of ours say so: a field, or a member of an embedded
/// value, that is still what it was to them takes their change, and of the rest only what they have changed is merged.
struct Automerge {
    let codec: ItemCodec

    /// Merges an input into the stored values.
    ///
    /// - Parameter bases: what fields of the input were to their author, in wire form.
    func merge(
        _ input: [Value?], over bases: [Int: JSONValue] = [:], into values: inout [Value], _ model: ModelInfo
    ) {
        for position in values.indices where !model.keyPositions.contains(position) {
            if let base = bases[position], let incoming = input[position] {
                values[position] = merged(values[position], incoming, over: base, position, model)
                continue
            }
            // An explicit null erases nothing: to remove a field takes the matching version.
            guard let incoming = input[position], !incoming.isNull else { continue }
            let field = model.schema.fields[position]
            if values[position].isNull {
                values[position] = incoming
            } else if field.isStoredAsJSON {
                let stored = codec.json(values[position], field)
                let new = codec.json(incoming, field)
                let result = field.merge == .set ? Self.united(stored, new) : Self.merged(stored, new)
                guard result != stored, let value = try? codec.value(result, position, of: model) else {
                    continue
                }
                values[position] = value
            }
        }
    }

    /// One field of which it is known what it was before.
    private func merged(
        _ stored: Value, _ incoming: Value, over base: JSONValue, _ position: Int, _ model: ModelInfo
    ) -> Value {
        let field = model.schema.fields[position]
        // Whatever words dates came in.
        let (theirs, mine) = (codec.plain(stored, position, of: model), codec.plain(incoming, position, of: model))
        let merge = ThreeWayMerge(isSet: field.merge == .set, isEmbedded: field.holdsEmbedded)
        let result = merge.merged(theirs, mine, over: codec.plain(base, position, of: model))
        if result == theirs { return stored }
        // As it came, if it is taken as it came.
        if result == mine { return incoming }
        let words = Self.worded(
            result, as: [(theirs, codec.json(stored, field)), (mine, codec.json(incoming, field))])
        return (try? codec.value(words, position, of: model)) ?? stored
    }

    /// A merged value in the words in which its parts came: those that are there before those that were sent.
    private static func worded(
        _ merged: JSONValue, as sources: [(plain: JSONValue, given: JSONValue)]
    ) -> JSONValue {
        if let source = sources.first(where: { $0.plain == merged }) { return source.given }
        switch merged {
        case .object(var object):
            for index in object.members.indices {
                let name = object.members[index].key
                let parts = sources.compactMap { source in
                    source.plain[name].flatMap { plain in source.given[name].map { (plain, $0) } }
                }
                object.members[index].value = worded(object.members[index].value, as: parts)
            }
            return .object(object)
        case .array(let elements):
            let pairs = sources.flatMap { zip($0.plain.array ?? [], $0.given.array ?? []) }
            let given = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
            return .array(
                elements.enumerated().map { index, element in
                    if let words = given[element] { return words }
                    // Changed where it stands.
                    return worded(
                        element,
                        as: sources.compactMap { source in
                            source.plain[index].flatMap { plain in source.given[index].map { (plain, $0) } }
                        })
                })
        case .null, .bool, .integer, .number, .string: return merged
        }
    }

    /// One attribute by its kind, and so each member of a map; two kinds that differ leave what is there.
    static func merged(_ stored: JSONValue, _ incoming: JSONValue) -> JSONValue {
        switch (stored, incoming) {
        case (_, .null): return stored
        case (.null, _): return incoming
        // Elements go to the end; doubles stay, as AppSync has it for lists.
        case (.array(let elements), .array(let more)): return .array(elements + more)
        case (.object(var object), .object(let other)):
            var places = Dictionary(
                zip(object.keys.map(ByteText.init), object.members.indices), uniquingKeysWith: { first, _ in first })
            for member in other.members where !member.value.isNull {
                if let place = places[ByteText(member.key)] {
                    object.members[place].value = merged(object.members[place].value, member.value)
                } else {
                    places[ByteText(member.key)] = object.count
                    object.members.append(member)
                }
            }
            return .object(object)
        default: return stored
        }
    }

    /// What AppSync does with a set: elements that are not there are put in.
    private static func united(_ stored: JSONValue, _ incoming: JSONValue) -> JSONValue {
        FieldOperation.edit(adding: incoming.array ?? [], removing: []).applied(to: stored) ?? stored
    }
}

extension FieldSchema {
    /// Whether it holds an embedded value or a list of them.
    fileprivate var holdsEmbedded: Bool { if case .embedded = type { true } else { false } }
}
