import Basics
import Models

/// The three-way rules between what the backend had, what it has, and what waits here: pure.
enum ThreeWay {
    /// What becomes of a waiting update when the backend's record changed.
    enum Rebase: Hashable {
        /// It stands on the new record: send these fields over this base.
        case onto(fields: JSONObject, base: JSONObject)
        /// The backend has all of it already.
        case done
        /// The backend changed fields that it changes too: it keeps its old base, and the backend's strategy decides. The
        /// rest is what nobody contests, to be sent over the new record.
        case conflict(fields: [String], rest: JSONObject)
    }

    /// Puts a waiting update on a newer record of the backend.
    ///
    /// An embedded value may have members there that were not known here when the update was made: they stay as they are.
    static func rebase(fields: JSONObject, base: JSONObject, onto remote: JSONObject) -> Rebase {
        var left = JSONObject()
        var newBase = JSONObject()
        var conflicts: [String] = []
        for member in fields.members {
            let theirs = remote[member.key] ?? .null
            if theirs == member.value { continue }
            var mine = member.value
            // An operation stands on any value.
            if FieldOperation(mine) == nil {
                let before = base[member.key] ?? .null
                guard theirs.stillHolds(before, for: mine) else {
                    conflicts.append(member.key)
                    continue
                }
                mine = theirs.taking(mine, over: before)
                if mine == theirs { continue }
            }
            left[member.key] = mine
            newBase[member.key] = theirs
        }
        if !conflicts.isEmpty { return .conflict(fields: conflicts, rest: left) }
        return left.isEmpty ? .done : .onto(fields: left, base: newBase)
    }

    /// What the answer to a sent update says about each field.
    struct Answer: Hashable {
        /// Came back with its base value, or with a part of the change alone: the backend's merge dropped it, no person did.
        var dropped: [String] = []
        /// Came back as something else: another change was first, and stands.
        var overruled: [String] = []
    }

    /// Compares what was sent with what came back.
    static func compare(fields: JSONObject, base: JSONObject, answer: JSONObject) -> Answer {
        var result = Answer()
        for member in fields.members {
            let theirs = answer[member.key] ?? .null
            let before = base[member.key] ?? .null
            if theirs == member.value || FieldOperation(member.value) != nil { continue }
            // Of an embedded value it may have members that were not known here when this was made.
            if theirs != before, theirs.taking(member.value, over: before) == theirs { continue }
            if theirs.stillHolds(before, for: member.value) {
                result.dropped.append(member.key)
            } else {
                result.overruled.append(member.key)
            }
        }
        return result
    }
}
