import Basics
import Models
import WarehouseModels

/// The pages that ask: what each is about, and its answers.
extension SupervisorApp {
    /// The act of the page in front; nil where its matter is settled meanwhile.
    var act: Act? {
        switch page {
        case .confirm(let kind): confirmation(kind)
        case .act(let subject): act(on: subject)
        default: nil
        }
    }

    private func act(on subject: Subject) -> Act? {
        switch subject {
        case .decision(let id): act(onDecision: id)
        case .device(let id): act(onDevice: id)
        case .task(let id): act(onTask: id)
        case .late(let id):
            floor.late.first { $0.passID == id }.map { act(onSide: $0, key: $0.isTakenOver ? "late.taken" : "late") }
        case .handover(let id): floor.handOvers.first { $0.pass.passID == id }.map(act(onHandOver:))
        case .unplaced(let id): floor.unplaced.first { $0.passID == id }.map { act(onSide: $0, key: "unplaced") }
        case .alert(let id):
            floor.alerts.first { $0.id == id }.map { alert in
                Act(
                    title: words("sup.alert.title"), text: desk(alert.text ?? ""),
                    facts: [(words("sup.fact.at"), time(alert.sentAt))],
                    choices: [Choice(text: words("sup.choice.seen"), move: .read(alert))])
            }
        case .document(let id): act(onDocument: id)
        case .exportLine(let id): act(onExportLine: id)
        case .line(let id): detail?.verdict.id == id ? detail.map(act(onLine:)) : nil
        case .again(let errand, let person): act(again: errand, person)
        }
    }

    private func draft(
        _ kind: DecisionKind, _ targets: [(id: String, revision: Int)] = [], toPerson: String? = nil,
        text: String? = nil
    ) -> DecisionDraft {
        DecisionDraft(
            kind: kind, sessionID: floor.session?.id, targets: targets, toPersonID: toPerson, text: text)
    }

    private var goBack: Choice { Choice(text: words("sup.choice.back"), move: .back) }

    private func act(onDecision id: String) -> Act? {
        guard let row = (floor.refused + floor.waiting).first(where: { $0.id == id }) else { return nil }
        let decision = row.decision
        var choices: [Choice] = []
        if decision.result == .refused { choices.append(Choice(text: words("sup.choice.seen"), move: .seen(decision))) }
        if let target = decision.targetIDs.first, floor.lines.contains(where: { $0.verdict.id == target }) {
            choices.append(Choice(text: words("sup.choice.line"), move: .open(.variance(id: target))))
        }
        let isRefused = decision.result == .refused
        return Act(
            title: words(isRefused ? "sup.refused.title" : "sup.asked.title"),
            text: (row.resultText.isEmpty ? words("sup.asked.desk") : desk(row.resultText)).flatMap {
                words(isRefused ? "sup.refused" : "sup.asked", ["what": what(row), "reason": $0])
            },
            facts: [
                (words("sup.fact.by"), floor.names[decision.byID] ?? decision.byID),
                (words("sup.fact.asked"), time(decision.at)),
            ] + (decision.reason.map { [(words("sup.fact.reason"), $0)] } ?? []), choices: choices + [goBack])
    }

    private func act(onDevice id: String) -> Act? {
        guard let row = floor.people.first(where: { $0.device.id == id }) else { return nil }
        let device = row.device
        let isSilent = isSilent(row, at: now)
        var choices: [Choice] = []
        if let person = device.personID {
            choices.append(Choice(text: words("sup.choice.write", ["who": row.name]), move: .write(to: person)))
        }
        if device.checkedOutAt == nil {
            choices.append(
                Choice(
                    text: words("sup.choice.lost", ["code": device.code]), needsText: true,
                    move: .decide(draft(.device_lost, [(device.id, 0)]))))
        }
        return Act(
            title: ["\(row.name), \(device.code)", "\(shortened(row.name)[1]) \(device.code)", device.code],
            text: words(
                device.parked > 0 ? "sup.device.parked" : isSilent ? "sup.device.silent" : "sup.device.here",
                ["code": device.code, "count": String(device.parked)]),
            facts: [
                // What it still owes comes first: a small picture has room for two.
                (words("sup.fact.heard"), age(of: row, at: now)),
                (words("sup.fact.unsent"), isSilent ? "\(device.unsent)?" : String(device.unsent)),
                (words("sup.fact.parked"), String(device.parked)), (words("sup.fact.bin"), row.binCode ?? "-"),
                (words("sup.fact.last"), "\(device.code)-\(device.lastSequence)"),
                (words("sup.fact.rate"), row.pace.text(at: now.wall)),
            ], choices: choices + [goBack])
    }

    private func act(onTask id: String) -> Act? {
        guard let task = (floor.partial + floor.zones.flatMap(\.left)).first(where: { $0.id == id }) else { return nil }
        return Act(
            title: [task.binCode], text: task.notice.map { desk($0) } ?? words("sup.task.\(task.state.rawValue)"),
            facts: [
                (words("sup.fact.state"), words("sup.task.\(task.state.rawValue)")[0]),
                (words("sup.fact.for"), task.assigneeID.map { floor.names[$0] ?? $0 } ?? "-"),
                (words("sup.fact.not"), task.notForIDs.map { floor.names[$0] ?? $0 }.joined(separator: " ")),
            ],
            choices: [
                Choice(text: words("sup.choice.assign"), move: .open(.assign(.task(id)))),
                Choice(
                    text: words("sup.choice.waive"), needsText: true, move: .decide(draft(.waive, [(id, 0)]))),
                goBack,
            ])
    }

    private func act(onSide pass: FloorSnapshot.PassOnSide, key: String) -> Act {
        var choices: [Choice] = []
        if key != "unplaced" {
            choices.append(
                Choice(text: words("sup.choice.take"), move: .decide(draft(.late_take, [(pass.passID, 0)]))))
        }
        choices.append(
            Choice(
                text: words("sup.choice.leave"), needsText: true,
                move: .decide(draft(.late_leave, [(pass.passID, 0)]))))
        return Act(
            title: words("sup.\(key).title"),
            text: words("sup.\(key)", ["bin": pass.place, "who": pass.name, "label": pass.place]),
            facts: [
                (words("sup.fact.pass"), pass.passID), (words("sup.fact.entries"), String(pass.entries)),
                (words("sup.fact.came"), time(pass.at)),
            ] + pass.content.map { (worded($0), "") }, choices: choices + [goBack])
    }

    /// Somebody goes on where another stopped: whether what that one counted stands too.
    private func act(onHandOver row: FloorSnapshot.HandOver) -> Act {
        let names = [
            "who": row.pass.name, "from": row.from, "bin": row.pass.place, "count": String(row.pass.entries),
        ]
        return Act(
            title: words("sup.handover.title"), text: words("sup.handover", names),
            facts: [
                (words("sup.fact.pass"), row.pass.passID), (words("sup.fact.entries"), String(row.pass.entries)),
            ] + row.pass.content.map { (worded($0), "") },
            choices: [
                Choice(
                    text: words("sup.choice.handover", names),
                    move: .decide(draft(.hand_over, [(row.fromPassID, 0)], toPerson: row.personID))),
                Choice(
                    text: words("sup.choice.alone", names), needsText: true,
                    move: .decide(draft(.late_leave, [(row.pass.passID, 0)]))),
                goBack,
            ])
    }

    private func act(onDocument id: String) -> Act? {
        guard let document = floor.documents.first(where: { $0.id == id }) else { return nil }
        let lines = floor.badLines.filter { $0.documentID == id }
        let targets = lines.map { (id: $0.id, revision: 0) }
        let isUnknown = document.state == .unknown
        guard isUnknown || !lines.isEmpty else { return nil }
        var choices = [
            Choice(
                text: words("sup.choice.resend"),
                move: .decide(draft(.resend, isUnknown ? [(id, document.attempts)] : targets))),
            Choice(
                text: words("sup.choice.byHand"), needsText: true,
                move: .decideWithText(draft(.posted_by_hand, isUnknown ? [(id, document.attempts)] : targets))),
        ]
        if !isUnknown {
            choices.append(
                Choice(text: words("sup.choice.drop"), needsText: true, move: .decide(draft(.waive, targets))))
        }
        return Act(
            title: ["\(document.connector) \(id)"], text: desk(document.error ?? lines.first?.error ?? ""),
            facts: [
                (words("sup.fact.lines"), String(lines.count)), (words("sup.fact.tries"), String(document.attempts)),
                (words("sup.fact.sent"), document.sentAt.map { time($0) } ?? "-"),
            ], choices: choices + [goBack])
    }

    private func act(onExportLine id: String) -> Act? {
        guard let line = (floor.badLines + floor.heldLines).first(where: { $0.id == id }) else { return nil }
        var choices: [Choice] = []
        if line.state == .rejected {
            choices.append(Choice(text: words("sup.choice.resend"), move: .decide(draft(.resend, [(id, 0)]))))
        }
        choices += [
            Choice(
                text: words("sup.choice.byHand"), needsText: true,
                move: .decideWithText(draft(.posted_by_hand, [(id, 0)]))),
            Choice(text: words("sup.choice.drop"), needsText: true, move: .decide(draft(.waive, [(id, 0)]))),
        ]
        return Act(
            title: ["\(line.connector) \(line.grain)", line.grain],
            text: line.state == .held
                ? words("sup.held", ["bins": line.heldFor ?? ""])
                : line.error.map { desk($0) } ?? words("sup.erp.rejected"),
            facts: [
                (words("sup.fact.quantity"), "\(line.quantity?.description ?? "-") \(line.unit ?? "")"),
                (words("sup.fact.counted"), line.countedAt.map { time($0) } ?? "-"),
                (words("sup.fact.moved"), line.movedSince?.description ?? "-"),
            ], choices: choices + [goBack])
    }

    /// What is rarer than accepting, recounting and waiting.
    private func act(onLine line: LineDetail) -> Act {
        let verdict = line.verdict
        let passes = line.counts.map { (id: $0.passID, revision: 0) }
        var choices: [Choice] = []
        if passes.count > 1 {
            choices.append(Choice(text: words("sup.choice.addUp"), move: .decide(draft(.add_up, passes))))
            if line.counts.contains(where: \.helps) {
                choices.append(Choice(text: words("sup.choice.compare"), move: .decide(draft(.compare, passes))))
            }
            for count in line.counts where count.passID != verdict.standingPassID && !count.helps {
                choices.append(
                    Choice(
                        text: words("sup.choice.stands", ["who": count.name, "count": count.counted.description]),
                        move: .decide(draft(.approve, [(verdict.id, verdict.revision)], text: count.passID))))
            }
        }
        choices.append(
            Choice(
                text: words("sup.choice.waiveLine"), needsText: true,
                move: .decide(draft(.waive, [(verdict.id, verdict.revision)]))))
        return Act(
            title: ["\(line.bin?.code ?? verdict.binID) \(line.item?.sku ?? verdict.itemID)"],
            text: words("sup.line.other"),
            facts: line.counts.map { ([$0.name], $0.counted.description) }, choices: choices + [goBack])
    }

    private func act(again errand: Errand, _ person: String) -> Act? {
        let who = floor.names[person] ?? person
        return Act(
            title: words("sup.again.title"), text: words("sup.again", ["who": who]),
            choices: [
                Choice(
                    text: words("sup.choice.again", ["who": who]), needsText: true,
                    move: .again(errand, person: person)), goBack,
            ])
    }
}
