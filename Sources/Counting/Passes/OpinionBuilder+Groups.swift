import WarehouseModels

extension OpinionBuilder {
    /// Who took over a pass, and what that left of it.
    struct TakeOver {
        let by: String
        let bounds: PassBounds
    }

    /// The take-overs by the old pass. Of two the earlier one holds; the other then stands anew by itself.
    func findTakeOvers() -> [String: TakeOver] {
        let byID = Dictionary(passes.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let taken = Set(decisions.filter { $0.kind == .late_take }.flatMap(\.targetIDs))
        var result: [String: TakeOver] = [:]
        for pass in passes {
            guard let oldID = pass.takesOverPassID, let old = byID[oldID], result[oldID] == nil, old.id != pass.id,
                !reaches(from: pass.id, to: oldID, result)
            else { continue }
            let asked = pass.takesOverThrough ?? 0
            let allowed = asked <= 0 || pass.counterID == old.counterID || isHandedOver(old, to: pass)
            let late = entries.filter { $0.passID == oldID && (taken.contains($0.id) || taken.contains(oldID)) }
            result[oldID] = TakeOver(
                by: pass.id,
                bounds: PassBounds(through: allowed ? max(asked, 0) : 0, lateTaken: Set(late.map(\.id))))
        }
        return result
    }

    /// The groups, each ordered by opening time, ordered by their first pass.
    func groupPasses(_ takeOvers: [String: TakeOver]) -> [[CountPass]] {
        var group = Dictionary(passes.map { ($0.id, $0.id) }, uniquingKeysWith: { first, _ in first })
        func root(_ id: String) -> String {
            var current = id
            while let next = group[current], next != current { current = next }
            return current
        }
        func join(_ a: String, _ b: String) {
            guard group[a] != nil, group[b] != nil else { return }
            let (left, right) = (root(a), root(b))
            if left != right { group[max(left, right)] = min(left, right) }
        }
        let said = relations()
        for pass in passes {
            for helped in pass.helped(among: passes) where said[Pair(pass.id, helped)] != false {
                join(pass.id, helped)
            }
        }
        for (pair, addsUp) in said where addsUp { join(pair.first, pair.second) }
        for (old, takeOver) in takeOvers { join(old, takeOver.by) }
        return Dictionary(grouping: passes) { root($0.id) }.values
            .sorted { ($0[0].openedAt, $0[0].id) < ($1[0].openedAt, $1[0].id) }
    }

    /// Two passes, in either order.
    private struct Pair: Hashable {
        let first: String
        let second: String
        init(_ a: String, _ b: String) {
            first = min(a, b)
            second = max(a, b)
        }
    }

    /// What supervisors said of pairs of passes: true adds up, false compares; the latest word holds.
    private func relations() -> [Pair: Bool] {
        var result: [Pair: Bool] = [:]
        let ordered = decisions.filter { $0.kind == .add_up || $0.kind == .compare }
            .sorted { $0.isBefore($1) }
        for decision in ordered {
            for (index, a) in decision.targetIDs.enumerated() {
                for b in decision.targetIDs[(index + 1)...] where a != b {
                    result[Pair(a, b)] = decision.kind == .add_up
                }
            }
        }
        return result
    }

    /// A pass's task where a supervisor let its counter count that though he had been there.
    func overriddenTask(_ pass: CountPass) -> String? {
        guard let task = pass.taskID else { return nil }
        let isOverridden = decisions.contains {
            $0.kind == .override && $0.toPersonID == pass.counterID && $0.targetIDs.contains(task)
        }
        return isOverridden ? task : nil
    }

    private func isHandedOver(_ old: CountPass, to new: CountPass) -> Bool {
        decisions.contains { decision in
            decision.kind == .hand_over && decision.toPersonID == new.counterID
                && (decision.targetIDs.contains(old.id) || old.taskID.map(decision.targetIDs.contains) ?? false)
        }
    }

    private func reaches(from start: String, to goal: String, _ takeOvers: [String: TakeOver]) -> Bool {
        var current = start
        while let next = takeOvers[current]?.by {
            if next == goal { return true }
            current = next
        }
        return false
    }
}

extension CountPass {
    /// The passes over the same bin that this one adds up with by its own word.
    ///
    /// A pass names the one it helps, or only the person: then it is that person's that was open nearest before, else
    /// the first one after. Who had begun a count of his own and then joined somebody names both.
    public func helped(among passes: [CountPass]) -> [String] {
        let named = helpsPassID.map { [$0] } ?? []
        guard let person = helpsPersonID else { return named }
        if let id = helpsPassID {
            // Whose pass has not arrived is not looked for among others of that person.
            guard let pass = passes.first(where: { $0.id == id }), !pass.isCounted(by: person) else { return named }
        }
        let theirs = passes.filter { $0.id != id && $0.isCounted(by: person) }
            .sorted { ($0.openedAt, $0.id) < ($1.openedAt, $1.id) }
        let before = theirs.last { ($0.openedAt, $0.id) <= (openedAt, id) }
        return named + ((before ?? theirs.first).map { [$0.id] } ?? [])
    }

    private func isCounted(by person: String) -> Bool { counterID == person || companionID == person }
}
