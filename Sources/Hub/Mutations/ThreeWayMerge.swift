import Basics
import Models

/// Merges one field that two have changed, of whom the later says what it was to him before.
struct ThreeWayMerge {
    /// Whether it is a set: elements come and go by what they are.
    let isSet: Bool
    /// Whether it is an embedded value, or a list of them: members that the author does not know stay.
    let isEmbedded: Bool

    /// The merged value: what only one of the two has changed is as he has it; of what both have changed maps are merged
    /// member by member, lists get what the later one added, and else what is there stays, as in AppSync's merge. Elements
    /// of a list of embedded values are changed where they stand, if nobody can have meant another one.
    func merged(_ stored: JSONValue, _ mine: JSONValue, over base: JSONValue) -> JSONValue {
        if mine == base || mine == stored { return stored }
        if stored == base { return mine }
        if isEmbedded, stored.stillHolds(base, for: mine) { return stored.taking(mine, over: base) }
        switch (stored, mine, base) {
        case (.object(let theirs), .object(let ours), .object(let before)):
            return .object(members(theirs, ours, before))
        case (.array(let theirs), .array(let ours), .array(let before)):
            guard !isSet else {
                let (new, gone) = (Self.added(ours, before, theirs), Self.added(before, ours))
                return FieldOperation.edit(adding: new, removing: gone).applied(to: stored) ?? stored
            }
            return .array(elements(theirs, ours, before) ?? theirs + Self.added(ours, before, theirs))
        default: return Automerge.merged(stored, mine)
        }
    }

    /// The elements where they stand: each was changed by one of the two alone. Nil where that cannot be said.
    private func elements(_ theirs: [JSONValue], _ ours: [JSONValue], _ before: [JSONValue]) -> [JSONValue]? {
        guard isEmbedded, theirs.count == before.count, ours.count == before.count else { return nil }
        var result: [JSONValue] = []
        for (index, was) in before.enumerated() {
            let (here, mine) = (theirs[index], ours[index])
            guard here == was || mine == was || here.stillHolds(was, for: mine) else { return nil }
            result.append(mine == was ? here : here.taking(mine, over: was))
        }
        return result
    }

    private func members(_ theirs: JSONObject, _ mine: JSONObject, _ base: JSONObject) -> JSONObject {
        var result = theirs.byName
        let (ours, before) = (mine.byName, base.byName)
        for (name, was) in before where ours[name] == nil && result[name] == was { result[name] = nil }
        for (name, value) in ours where before[name] != value {
            result[name] = result[name].map { merged($0, value, over: before[name] ?? .null) } ?? value
        }
        // In the order that was there, and what is new behind it.
        let known = theirs.keys.map(ByteText.init)
        let new = mine.keys.map(ByteText.init).filter { [known = Set(known)] in !known.contains($0) }
        return JSONObject((known + new).compactMap { name in result[name].map { (key: name.text, value: $0) } })
    }

    /// The elements that a list has more often than each of the others, in its order.
    private static func added(_ list: [JSONValue], _ others: [JSONValue]...) -> [JSONValue] {
        var left: [JSONValue: Int] = [:]
        for other in others {
            var counts: [JSONValue: Int] = [:]
            for element in other { counts[element, default: 0] += 1 }
            left.merge(counts) { max($0, $1) }
        }
        return list.filter { element in
            guard let count = left[element], count > 0 else { return true }
            left[element] = count - 1
            return false
        }
    }
}

extension JSONObject {
    fileprivate var byName: [ByteText: JSONValue] {
        Dictionary(members.map { (ByteText($0.key), $0.value) }, uniquingKeysWith: { first, _ in first })
    }
}
