import Basics
import Models
import Screens
import WarehouseModels

/// What needs the supervisor: one row for each kind on the floor, and the matters behind it, each of which can be opened.
extension SupervisorApp {
    /// A desk or a terminal that was silent for longer is an exception (seconds).
    static let silence = 180

    /// One thing that is wrong, with where it is acted on.
    struct Matter: Sendable {
        var text: [String]
        var state = ""
        var opens: Page
    }

    /// The exceptions, the weightiest first; at most one row of each kind, so that a digit keeps its meaning.
    func exceptions(at moment: Moment) -> [(kind: ExceptionKind, text: [String])] {
        var rows: [(ExceptionKind, [String])] = []
        func add(_ kind: ExceptionKind, _ count: Int, _ arguments: [String: String] = [:]) {
            guard count > 0 else { return }
            var all = arguments
            all["count"] = String(count)
            rows.append((kind, words("sup.ex.\(kind.rawValue)\(count == 1 ? ".one" : "")", all)))
        }
        if hasLoaded, !floor.sessions.isEmpty { deskRow(at: moment).map { rows.append((.deskSilent, $0)) } }
        add(.refusedHere, max(floor.refusedHere.count, link.parked))
        add(
            .refused, floor.refused.count,
            [
                "what": floor.refused.first.map { what($0) } ?? "",
                "reason": desk(floor.refused.first?.resultText ?? "")[0],
            ])
        add(.lines, floor.lineCount, ["value": "\(floor.grossValue)"])
        let silent = silentPeople(at: moment)
        if let one = silent.first, silent.count == 1 {
            rows.append((.silent, words("sup.ex.silent.one", silentWords(one, moment))))
        } else {
            add(.silent, silent.count, ["codes": silent.map(\.device.code).joined(separator: " ")])
        }
        add(
            .handover, floor.handOvers.count,
            ["bin": floor.handOvers.first?.pass.place ?? "", "who": floor.handOvers.first?.pass.name ?? ""])
        add(.late, floor.late.count, ["entries": String(floor.late.reduce(0) { $0 + $1.entries })])
        add(.incomplete, floor.incomplete.count, ["bin": floor.incomplete.first?.binCode ?? ""])
        add(.differ, floor.differing.count, ["bin": floor.differing.first ?? ""])
        add(.alerts, floor.alerts.count, ["text": desk(floor.alerts.first?.text ?? "")[0]])
        add(.rejected, badCount)
        add(.unknown, floor.unknownCodes.count)
        add(.unplaced, floor.unplaced.count, ["label": floor.unplaced.first?.place ?? ""])
        let parked = floor.people.filter { $0.device.parked > 0 }
        add(
            .parked, parked.reduce(0) { $0 + $1.device.parked },
            ["codes": parked.map(\.device.code).joined(separator: " ")])
        add(.partial, floor.partial.count)
        add(.asked, floor.waiting.count, ["what": floor.waiting.first.map { what($0) } ?? ""])
        add(.held, floor.heldLines.count)
        return rows.map { (kind: $0.0, text: $0.1) }
    }

    /// Rings when an exception appears, and names it on pages that do not show the floor.
    mutating func tellNew(_ effects: inout [AppEffect<SupervisorJob>]) {
        let rows = exceptions(at: now).filter { !SupervisorApp.quiet.contains($0.kind) }
        let before = standing
        standing = Set(rows.map(\.kind))
        guard hasLoaded, person != nil, let new = rows.first(where: { !before.contains($0.kind) }) else { return }
        effects.append(.sound(.attention))
        if page != .floor, message == nil { say(new.text.map { words("sup.new", ["text": $0])[0] }, .notice) }
    }

    /// What comes and goes by itself, or stands behind another row.
    private static let quiet: Set<ExceptionKind> = [.asked, .held, .incomplete, .differ]

    private func deskRow(at moment: Moment) -> [String]? {
        guard let newest = floor.desks.filter({ $0.checkedOutAt == nil }).map(\.heardAt).max() else {
            return words(floor.desks.isEmpty ? "sup.ex.noDesk" : "sup.ex.deskStopped")
        }
        let age = seconds(since: newest, at: moment)
        return age > SupervisorApp.silence ? words("sup.ex.deskSilent", ["age": SupervisorApp.age(age)]) : nil
    }

    private func silentPeople(at moment: Moment) -> [FloorSnapshot.PersonOnFloor] {
        floor.people.filter { isSilent($0, at: moment) }
    }

    func isSilent(_ person: FloorSnapshot.PersonOnFloor, at moment: Moment) -> Bool {
        person.device.checkedOutAt == nil && seconds(since: person.device.heardAt, at: moment) > SupervisorApp.silence
    }

    private func silentWords(_ person: FloorSnapshot.PersonOnFloor, _ moment: Moment) -> [String: String] {
        [
            "code": person.device.code, "who": person.name,
            "age": SupervisorApp.age(seconds(since: person.device.heardAt, at: moment)),
            "last": "\(person.device.code)-\(person.device.lastSequence)",
        ]
    }

    /// Lines the ERP refused are matters one by one while they are few, else with their document.
    private var badDocuments: [(document: String, lines: [ExportLine])] {
        Dictionary(grouping: floor.badLines) { $0.documentID ?? "" }.sorted { $0.key < $1.key }
            .map { ($0.key, $0.value) }
    }

    var badCount: Int { floor.badLines.count + floor.documents.count { $0.state == .unknown } }

    // MARK: What stands behind a row

    /// The matters behind an exception.
    func matters(_ kind: ExceptionKind, at moment: Moment) -> [Matter] {
        switch kind {
        case .refused:
            floor.refused.map {
                Matter(text: told($0), state: at($0.decision), opens: .act(.decision($0.id)))
            }
        case .asked:
            floor.waiting.map {
                Matter(text: told($0), state: at($0.decision), opens: .act(.decision($0.id)))
            }
        case .silent: silentPeople(at: moment).map { device($0, at: moment) }
        case .parked: floor.people.filter { $0.device.parked > 0 }.map { device($0, at: moment) }
        case .late: floor.late.map { side($0, .late(pass: $0.passID)) }
        case .unplaced: floor.unplaced.map { side($0, .unplaced(pass: $0.passID)) }
        case .handover:
            floor.handOvers.map { row in
                let names = ["bin": row.pass.place, "who": row.pass.name, "from": row.from]
                return Matter(
                    text: words("sup.handover.row", names), state: time(row.pass.at),
                    opens: .act(.handover(pass: row.pass.passID)))
            }
        case .incomplete:
            floor.incomplete.map {
                let line = "\($0.binCode) \($0.sku)"
                return Matter(
                    text: desk($0.verdict.guess ?? "").map { "\(line): \($0)" } + [line],
                    opens: .variance(id: $0.verdict.id))
            }
        case .alerts:
            floor.alerts.map {
                Matter(text: desk($0.text ?? ""), state: time($0.sentAt), opens: .act(.alert($0.id)))
            }
        case .partial:
            floor.partial.map {
                let bin = $0.binCode
                return Matter(
                    text: ($0.notice.map { desk($0) } ?? []).map { "\(bin): \($0)" } + [bin],
                    state: words("sup.task.\($0.state.rawValue)")[0], opens: .act(.task($0.id)))
            }
        case .rejected: rejected()
        case .held:
            floor.heldLines.map {
                Matter(
                    text: ["\($0.connector) \($0.grain): \($0.heldFor ?? "")", $0.grain],
                    opens: .act(.exportLine($0.id)))
            }
        case .differ:
            floor.lines.filter(\.differs).map {
                Matter(
                    text: ["\($0.binCode) \($0.sku) \($0.name)", "\($0.binCode) \($0.sku)"],
                    state: signed($0.verdict.variance), opens: .variance(id: $0.verdict.id))
            }
        case .deskSilent, .refusedHere, .lines, .unknown: []
        }
    }

    private func rejected() -> [Matter] {
        var result = floor.documents.filter { $0.state == .unknown }.map {
            Matter(
                text: ["\($0.connector) \($0.id): \(desk($0.error ?? "")[0])", "\($0.connector) \($0.id)"],
                state: words("sup.erp.unknown")[0], opens: .act(.document($0.id)))
        }
        for (id, lines) in badDocuments {
            guard lines.count > 9 else {
                result += lines.map {
                    Matter(
                        text: ["\($0.connector) \($0.grain): \(desk($0.error ?? "")[0])", $0.grain],
                        state: words("sup.erp.rejected")[0], opens: .act(.exportLine($0.id)))
                }
                continue
            }
            result.append(
                Matter(
                    text: words(
                        "sup.erp.lines",
                        [
                            "connector": lines[0].connector, "count": String(lines.count),
                            "error": desk(lines[0].error ?? "")[0],
                        ]), state: words("sup.erp.rejected")[0], opens: .act(.document(id))))
        }
        return result
    }

    private func device(_ person: FloorSnapshot.PersonOnFloor, at moment: Moment) -> Matter {
        let parked = person.device.parked
        let key =
            isSilent(person, at: moment)
            ? "sup.ex.silent.one" : parked == 1 ? "sup.ex.parked.one" : parked > 1 ? "sup.ex.parked" : "sup.device"
        var arguments = silentWords(person, moment)
        arguments["count"] = String(parked)
        arguments["codes"] = person.device.code
        return Matter(text: words(key, arguments), opens: .act(.device(person.device.id)))
    }

    private func side(_ pass: FloorSnapshot.PassOnSide, _ subject: Subject) -> Matter {
        Matter(
            text: words(
                "sup.side",
                ["bin": pass.place, "who": pass.name, "count": String(pass.entries), "pass": pass.passID]),
            state: time(pass.at), opens: .act(subject))
    }

    /// What a decision is about, and what the desk said to it.
    private func told(_ decision: FloorSnapshot.DecisionOnFloor) -> [String] {
        let what = what(decision)
        let said = decision.resultText.isEmpty ? [] : desk(decision.resultText).map { "\(what): \($0)" }
        return said + [what, decision.object ?? what]
    }

    private func at(_ decision: Decision) -> String { time(decision.resultAt ?? decision.at) }

    /// Opens an exception: its own page where it has one, the only matter at once, else the list of them.
    mutating func openException(_ kind: ExceptionKind) {
        switch kind {
        case .lines: open(.lines)
        case .unknown: open(.unknown)
        default: open(.rows(kind))
        }
    }

    mutating func open(_ matter: Matter, _ effects: inout [AppEffect<SupervisorJob>]) {
        if case .variance(let id) = matter.opens { openLine(id, &effects) } else { open(matter.opens) }
    }

    /// Seconds from a time on the hub's clock until now.
    func seconds(since at: DateTime, at moment: Moment) -> Int {
        let now = moment.wall.advanced(by: Int64(link.clockOffsetMilliseconds ?? 0))
        return max(0, Int((now.milliseconds - at.milliseconds) / 1000))
    }
}
