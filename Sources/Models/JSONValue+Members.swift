import Basics

extension JSONValue {
    /// This value with what changed from `base` to `new`: a member that is the same in both stays as it is here.
    ///
    /// So an embedded value keeps the members that whoever changed it does not know: they are in neither of the two, or in
    /// both alike. Of a list the elements that stayed keep theirs wherever they stand now; so does one that changed in its
    /// place, where the list is as long as before and the element shares a member's value with what stood there. Else an
    /// element is what `new` says. A list of another length than `base` cannot be the one that was changed, and becomes
    /// `new`.
    public func taking(_ new: JSONValue, over base: JSONValue) -> JSONValue {
        switch (self, base, new) {
        case (.object(var object), .object(let before), .object(let after)):
            for (key, value) in before.members where after[key] == nil && !value.isNull { object[key] = nil }
            for (key, value) in after.members {
                let was = before[key] ?? .null
                if value == was { continue }
                object[key] = value.isNull ? JSONValue?.none : object[key]?.taking(value, over: was) ?? value
            }
            return .object(object)
        case (.array(let elements), .array(let before), .array(let after)) where elements.count == before.count:
            return .array(Self.elements(after, over: before, in: elements))
        default: return new
        }
    }

    /// Whether nobody else changed what `new` changes of `base`: all that `base` has is here still, and what is here beyond
    /// it stays when `new` is taken over it.
    ///
    /// Members that `base` lacks were not known to whoever changed it, or had no value; they are no contest, unless `new`
    /// sets one of them to something else than it is here, or takes away what holds them.
    public func stillHolds(_ base: JSONValue, for new: JSONValue) -> Bool {
        if self == base { return true }
        switch (self, base, new) {
        case (.object(let object), .object(let before), .object(let after)):
            return before.members.allSatisfy { key, value in
                value.isNull || (object[key] ?? .null).stillHolds(value, for: after[key] ?? .null)
            }
                && after.members.allSatisfy { key, value in
                    let here = object[key] ?? .null
                    return value.isNull || !(before[key] ?? .null).isNull || here.isNull || here == value
                }
        case (.array(let elements), .array(let before), .array(let after)) where elements.count == before.count:
            return elements.indices.allSatisfy { index in
                let (here, was) = (elements[index], before[index])
                if here == was { return true }
                // It stays, here or elsewhere, and no equal of it goes.
                if after.count(where: { $0 == was }) >= before.count(where: { $0 == was }) {
                    return here.stillHolds(was, for: was)
                }
                // Or it is changed in its place.
                return after.count == before.count && !before.contains(after[index])
                    && after[index].sharesMember(with: was) && here.stillHolds(was, for: after[index])
            }
        default: return false
        }
    }

    private static func elements(
        _ new: [JSONValue], over base: [JSONValue], in stored: [JSONValue]
    ) -> [JSONValue] {
        var result = new
        var isSettled = new.indices.map { $0 < base.count && new[$0] == base[$0] }
        var isTaken = base.indices.map { $0 < new.count && isSettled[$0] }
        for index in new.indices where isSettled[index] { result[index] = stored[index] }
        // What stayed and stands elsewhere now: the first of its equals that is left.
        var left: [JSONValue: [Int]] = [:]
        for index in base.indices.reversed() where !isTaken[index] { left[base[index], default: []].append(index) }
        for index in new.indices where !isSettled[index] {
            guard let place = left[new[index]]?.popLast() else { continue }
            result[index] = stored[place]
            isTaken[place] = true
            isSettled[index] = true
        }
        guard new.count == base.count else { return result }
        for index in new.indices
        where !isSettled[index] && !isTaken[index] && new[index].sharesMember(with: base[index]) {
            result[index] = stored[index].taking(new[index], over: base[index])
        }
        return result
    }

    private func sharesMember(with other: JSONValue) -> Bool {
        guard case .object(let object) = self, case .object(let before) = other else { return false }
        return object.members.contains { !$0.value.isNull && before[$0.key] == $0.value }
    }
}
