import Basics
import Models
import Screens
import WarehouseModels

extension SupervisorApp {
    /// The screen file of the page in front.
    var screenName: String {
        switch page {
        case .signIn: "signin"
        case .floor: "floor"
        case .lines: "lines"
        case .variance: "variance"
        case .rows: "exceptions"
        case .people: "people"
        case .zones: "zones"
        case .unknown: "unknown"
        case .match: "match"
        case .assign: "assign"
        case .release: "release"
        case .confirm(.stop): "stop"
        case .confirm(.export): "export"
        case .confirm: "closing"
        case .message: "message"
        case .help: "help"
        }
    }

    package func view(at moment: Moment) -> AppView {
        var state = ScreenState()
        state.message = message
        state["sync.clock"] = .text([(link.isOnline ? "^ " : "v ") + time(moment.wall), link.isOnline ? "^" : "v"])
        state["sync.badge"] = .text([link.isOnline ? "^" : "v"])
        if !link.isOnline { state["link.note"] = .text(["No link: this is as of \(lastWord(moment))", "No link"]) }
        if let message, message.id.isEmpty { state["link.note"] = .text(message.text) }
        state["session.name"] = .text(floor.session.map { $0.name } ?? "No count yet: R releases one")
        switch page {
        case .signIn: fillSignIn(&state)
        case .floor: fillFloor(&state, moment)
        case .lines: fillLines(&state)
        case .variance: fillVariance(&state)
        case .rows(let kind): fillRows(kind, &state, moment)
        case .people: fillPeople(&state, moment)
        case .zones: fillZones(&state)
        case .unknown: fillUnknown(&state)
        case .match(let code): fillMatch(code, &state)
        case .assign: fillAssign(&state)
        case .release: fillRelease(&state)
        case .confirm(let kind): fillConfirm(kind, &state)
        case .message:
            state["message.entry"] = .input(entry)
            state["message.to"] = "To everyone on the floor"
        case .help(let screen):
            state["help.keys"] = .rows(AppScreens.shipped.help(for: screen, language: language))
            state["help.text"] = "Decisions are carried out by the desk; until then they stand as asked."
        }
        return AppView(screen: screenName, state: state)
    }

    private func fillSignIn(_ state: inout ScreenState) {
        state["device.code"] = .text(deviceCode)
        state["signin.entry"] = .input(entry)
        state["signin.progress"] = .text(
            candidates.isEmpty
                ? ["Fetching the people: type your name as soon as they are here", "Fetching people"]
                : ["Type your name: " + candidates.map(\.login).joined(separator: ", ")])
        state.focus = "signin.entry"
    }

    // MARK: The floor

    /// The exceptions, the weightiest first; ages need the moment.
    func exceptions(at moment: Moment?) -> [(kind: ExceptionKind, text: String)] {
        var rows: [(ExceptionKind, String)] = []
        if let moment, hasLoaded, !floor.sessions.isEmpty {
            let newest = floor.desks.map(\.beatAt).max()
            let age = newest.map { (moment.wall.milliseconds - $0.milliseconds) / 1000 }
            if age ?? .max > 180 {
                rows.append((.deskSilent, "The desk is silent" + (age.map { ", \(SupervisorApp.age(Int($0)))" } ?? "")))
            }
        }
        if let refused = floor.refused.first, !answered.contains(refused.id + "#seen") {
            rows.append((.refused, "Refused: \(SupervisorApp.name(of: refused.kind)): \(refused.resultText ?? "")"))
        }
        if floor.lineCount > 0 {
            rows.append((.lines, "\(floor.lineCount) lines to decide, \(floor.grossValue) gross"))
        }
        if let moment {
            for person in floor.people where person.device.checkedOutAt == nil {
                let seconds = Int((moment.wall.milliseconds - person.device.beatAt.milliseconds) / 1000)
                if seconds > 180 {
                    rows.append(
                        (.silent, "\(person.device.code) \(person.name) silent \(SupervisorApp.age(seconds))"))
                }
            }
        }
        if !floor.differing.isEmpty { rows.append((.differ, "\(floor.differing.count) bins: two counts differ")) }
        if !floor.unknownCodes.isEmpty { rows.append((.unknown, "\(floor.unknownCodes.count) unknown codes")) }
        for person in floor.people where person.device.parked > 0 {
            rows.append((.parked, "\(person.device.code) \(person.device.parked) entries refused by the hub"))
        }
        if !floor.partial.isEmpty { rows.append((.partial, "\(floor.partial.count) bins skipped or in part")) }
        if !floor.waiting.isEmpty { rows.append((.asked, "\(floor.waiting.count) decisions asked")) }
        if floor.heldLines > 0 { rows.append((.held, "\(floor.heldLines) lines held for open bins")) }
        let bad = floor.documents.filter { $0.state == .rejected || $0.state == .unknown }
        if !bad.isEmpty { rows.append((.rejected, "\(bad.count) ERP documents need you")) }
        return rows
    }

    private func fillFloor(_ state: inout ScreenState, _ moment: Moment) {
        let (bins, done) = floor.totals
        if let session = floor.session {
            let words = [session.kind.rawValue, session.visibility.rawValue].map {
                $0.lowercased().replacing("_", with: "-")
            }
            state["session.name"] = .text([
                "\(session.name), \(words.joined(separator: ", ")), \(session.state.rawValue)", session.name,
            ])
            let percent = bins == 0 ? 0 : done * 100 / bins
            state["floor.progress"] = .text(["\(percent)% of \(bins) bins", "\(percent)% of \(bins)", "\(percent)%"])
        }
        let rate = floor.people.reduce(0) { $0 + $1.closedLastHour }
        if rate > 0, bins > done {
            let end = moment.wall.advanced(by: Int64((bins - done) * 3_600_000 / rate))
            state["floor.forecast"] = .text(["done \(time(end)), \(floor.people.count) here", "done \(time(end))"])
        } else if bins > 0, bins == done {
            state["floor.forecast"] = "all bins done"
        }
        state["floor.exceptions"] = .rows(
            numbered(exceptions(at: moment).map { ["text": .text($0.text)] }))
        state["floor.people"] = .rows(floor.people.map { personRow($0, moment) })
        state["floor.zones"] = .rows(floor.zones.map(zoneRow))
        state["floor.latest"] = .rows(
            floor.latest.map {
                ListRow([
                    "time": .text([time($0.at, seconds: true), time($0.at)]), "name": .text([$0.name, CounterWork.short($0.name)]),
                    "bin": .text($0.binCode), "text": .text($0.text),
                ])
            })
        state["floor.desk"] = .text(deskLine(moment))
    }

    private func deskLine(_ moment: Moment) -> [String] {
        var parts: [String] = []
        if let newest = floor.desks.map(\.beatAt).max() {
            parts.append(
                "Desk \(SupervisorApp.age(Int(max(0, moment.wall.milliseconds - newest.milliseconds) / 1000))) ago")
        } else {
            parts.append("No desk")
        }
        if let book = floor.book {
            parts.append("book \(time(book.asOf))" + (book.bookFrozen ? " frozen" : ""))
            if let through = book.movementsThrough { parts.append("movements to \(time(through))") }
        }
        let confirmed = floor.documents.count { $0.state == .confirmed }
        if !floor.documents.isEmpty || floor.heldLines > 0 {
            parts.append("ERP \(confirmed) of \(floor.documents.count) confirmed, \(floor.heldLines) held")
        }
        return [parts.joined(separator: "   ")]
    }

    func personRow(_ person: FloorSnapshot.PersonOnFloor, _ moment: Moment) -> ListRow {
        let seconds = Int((moment.wall.milliseconds - person.device.beatAt.milliseconds) / 1000)
        let out = person.device.checkedOutAt != nil
        let silent = !out && seconds > 180
        return ListRow([
            "name": .text([person.name, CounterWork.short(person.name)]), "device": .text(person.device.code), "bin": .text(person.binCode ?? "-"),
            "rate": .number(String(person.closedLastHour)),
            "owes": .number(silent ? "?" : String(person.device.unsent)),
            "age": .text(out ? "out" : SupervisorApp.age(max(0, seconds)) + (silent ? "!" : "")),
            "state": .text(person.device.parked > 0 ? "\(person.device.parked) refused" : out ? "signed out" : ""),
        ])
    }

    func zoneRow(_ zone: FloorSnapshot.ZoneProgress) -> ListRow {
        ListRow([
            "name": .text(["\(zone.code) \(zone.name)", zone.code]), "bins": .number(String(zone.bins)),
            "done": .number(String(zone.done)), "left": .number(String(zone.bins - zone.done)),
            "strip": .strip(zone.strip),
        ])
    }

    /// Rows from ``offset`` on, numbered 1–9.
    func numbered(_ rows: [[String: Screens.FieldValue]]) -> [ListRow] {
        rows.dropFirst(page == .floor ? 0 : offset).enumerated().map { index, cells in
            var cells = cells
            cells["number"] = .text(index < 9 ? String(index + 1) : "")
            return ListRow(cells)
        }
    }

    // MARK: Words

    func time(_ at: DateTime, seconds: Bool = false) -> String {
        let local = at.advanced(by: Int64(utcOffsetMinutes) * 60_000).iso8601
        return String(local.dropFirst(11).prefix(seconds ? 8 : 5))
    }

    private func lastWord(_ moment: Moment) -> String {
        guard let contact = link.lastContactUptime else { return "never" }
        return time(moment.wall.advanced(by: contact - moment.uptime))
    }

    static func age(_ seconds: Int) -> String {
        seconds < 100 ? "\(seconds)s" : seconds < 6000 ? "\(seconds / 60)m" : "\(seconds / 3600)h"
    }
}

extension String {
    func replacing(_ part: Character, with other: Character) -> String { String(map { $0 == part ? other : $0 }) }
}
