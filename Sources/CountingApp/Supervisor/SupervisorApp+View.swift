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
        case .rows, .zone: "exceptions"
        case .people: "people"
        case .zones: "zones"
        case .unknown: "unknown"
        case .match: "match"
        case .assign: "assign"
        case .release: "release"
        case .confirm(.stop): "stop"
        case .confirm(.export): "export"
        case .confirm(.close): "closing"
        case .confirm, .act: "act"
        case .message: "message"
        case .help: "help"
        }
    }

    package func view(at moment: Moment) -> AppView {
        var state = ScreenState()
        state.message = message
        let arrow = link.isOnline ? "^" : "v"
        state["sync.clock"] = .text(["\(arrow) \(time(moment.wall))", arrow])
        state["sync.badge"] = .text([arrow])
        state["link.note"] = .text(note(at: moment))
        state["session.name"] = .text(words("sup.noCount"))
        switch page {
        case .signIn: fillSignIn(&state)
        case .floor: fillFloor(&state, moment)
        case .lines: fillLines(&state)
        case .variance: fillVariance(&state)
        case .rows(let kind): fillRows(kind, &state, moment)
        case .zone(let code): fillZone(code, &state)
        case .people: fillPeople(&state, moment)
        case .zones: fillZones(&state)
        case .unknown: fillUnknown(&state)
        case .match(let code): fillMatch(code, &state)
        case .assign: fillAssign(&state)
        case .release: fillRelease(&state)
        case .confirm, .act: fillAct(&state)
        case .message: fillMessages(&state)
        case .help(let screen):
            state["help.keys"] = .rows(
                helpRows(of: screen).dropFirst(offset).map {
                    ListRow(["key": .text($0.key), "text": .text($0.text)])
                })
            state["help.text"] = .text(words("sup.help.\(screen)"))
        }
        return AppView(screen: screenName, state: state, actsAtOnce: !isTyping || choosesByDigit)
    }

    /// What stands on the message line while there is no message: the link's trouble, that more rows follow, or that
    /// there are none.
    private func note(at moment: Moment) -> [String] {
        if let message, message.id.isEmpty { return message.text }
        if let reason = link.pausedReason { return words("sup.paused", ["reason": reason]) }
        if link.isSyncing, !link.isOnline { return words("sup.offline", ["time": lastWord(moment)]) }
        if let left = link.signInLeft(at: moment) { return words("sup.signInEnds", ["left": left]) }
        switch page {
        case .people where floor.people.isEmpty: return words("sup.people.none")
        case .zones where floor.zones.isEmpty: return words("sup.zones.none")
        default: return rowsBelow > 0 ? words("sup.more", ["count": String(rowsBelow)]) : []
        }
    }

    private func fillSignIn(_ state: inout ScreenState) {
        state["device.code"] = .text(deviceCode)
        state["signin.entry"] = .input(entry)
        state["signin.progress"] = .text(
            candidates.isEmpty
                ? words("sup.fetching")
                : words("sup.who", ["logins": candidates.map(\.login).joined(separator: ", ")]))
        state.focus = "signin.entry"
    }

    // MARK: The floor

    private func fillFloor(_ state: inout ScreenState, _ moment: Moment) {
        let (bins, done) = floor.totals
        if let session = floor.session {
            let kinds = ["sup.kind.\(session.kind.rawValue)", "sup.sight.\(session.visibility.word)"]
                .map { words($0)[0] }
            let stage = words("sup.state.\(session.state.rawValue)")[0]
            state["session.name"] = .text([
                "\(session.name), \(kinds.joined(separator: ", ")), \(stage)", "\(session.name), \(stage)",
                session.name,
            ])
            let percent = bins == 0 ? 0 : done * 100 / bins
            state["floor.progress"] = .text(words("sup.done", ["percent": String(percent), "bins": String(bins)]))
        }
        if let rate = floor.pace.perHour(at: moment.wall), rate > 0, bins > done {
            let end = moment.wall.advanced(by: Int64((bins - done) * 3_600_000 / rate))
            let here = floor.people.count { $0.device.checkedOutAt == nil }
            // A time of day says nothing of tomorrow.
            let hours = (end.milliseconds - moment.wall.milliseconds) / 3_600_000
            let key = hours < 12 ? "sup.forecast" : "sup.forecastHours"
            state["floor.forecast"] = .text(
                words(key, ["time": time(end), "hours": String(hours), "people": String(here)]))
        } else if bins > 0, bins == done {
            state["floor.forecast"] = .text(words("sup.allDone"))
        }
        let rows = exceptions(at: moment)
        state["floor.exceptions"] = .rows(
            rows.isEmpty && hasLoaded
                ? [ListRow(["number": "", "text": .text(words(floor.session == nil ? "sup.start" : "sup.calm"))])]
                : numbered(rows.map { ["text": .text($0.text)] }))
        state["floor.people"] = .rows(floor.people.map { personRow($0, moment) })
        state["floor.zones"] = .rows(floor.zones.map(zoneRow))
        state["floor.latest"] = .rows(
            floor.latest.map {
                ListRow([
                    "time": .text([time($0.at, seconds: true), time($0.at)]), "name": .text(shortened($0.name)),
                    "bin": .text($0.binCode), "text": .text(worded($0.text)),
                ])
            })
        state["floor.desk"] = .text(deskLine(moment))
    }

    private func deskLine(_ moment: Moment) -> [String] {
        var parts: [String] = []
        if let newest = floor.desks.filter({ $0.checkedOutAt == nil }).map(\.heardAt).max() {
            parts += words("sup.desk", ["age": SupervisorApp.age(seconds(since: newest, at: moment))])
        } else {
            parts += words("sup.desk.none")
        }
        if let book = floor.book {
            parts.append(words(book.bookFrozen ? "sup.book.frozen" : "sup.book", ["time": time(book.asOf)])[0])
            if let through = book.movementsThrough {
                parts.append(words("sup.moves", ["time": time(through)])[0])
            }
        }
        let confirmed = floor.documents.count { $0.state == .confirmed }
        if !floor.documents.isEmpty || !floor.heldLines.isEmpty {
            parts.append(
                words(
                    "sup.erp",
                    [
                        "confirmed": String(confirmed), "all": String(floor.documents.count),
                        "held": String(floor.heldLines.count),
                    ])[0])
        }
        return [parts.joined(separator: "   ")]
    }

    func personRow(_ person: FloorSnapshot.PersonOnFloor, _ moment: Moment) -> ListRow {
        let device = person.device
        let out = device.checkedOutAt != nil
        let silent = isSilent(person, at: moment)
        let state =
            device.parked > 0
            ? words("sup.person.refused", ["count": String(device.parked)])[0]
            : out ? words("sup.person.out")[0] : silent ? words("sup.person.silent")[0] : ""
        return ListRow([
            "name": .text(shortened(person.name)), "device": .text(device.code), "bin": .text(person.binCode ?? "-"),
            "rate": .number(person.pace.text(at: moment.wall)),
            "owes": .number(silent ? "?" : String(device.unsent)), "age": .text(age(of: person, at: moment)),
            "state": .text(state),
        ])
    }

    func age(of person: FloorSnapshot.PersonOnFloor, at moment: Moment) -> String {
        if person.device.checkedOutAt != nil { return words("sup.out")[0] }
        let age = SupervisorApp.age(seconds(since: person.device.heardAt, at: moment))
        return age + (isSilent(person, at: moment) ? "!" : "")
    }

    func zoneRow(_ zone: FloorSnapshot.ZoneProgress) -> ListRow {
        ListRow([
            "name": .text(["\(zone.code) \(zone.name)", zone.code]), "bins": .number(String(zone.bins)),
            "done": .number(String(zone.done)), "left": .number(String(zone.bins - zone.done)),
            "strip": .strip(zone.strip),
        ])
    }

    // MARK: Words

    func time(_ at: DateTime, seconds: Bool = false) -> String {
        let local = at.advanced(by: Int64(utcOffsetMinutes) * 60_000).iso8601
        return String(local.dropFirst(11).prefix(seconds ? 8 : 5))
    }

    private func lastWord(_ moment: Moment) -> String {
        guard let contact = link.lastContactUptime else { return words("sup.never")[0] }
        return time(moment.wall.advanced(by: contact - moment.uptime))
    }

    static func age(_ seconds: Int) -> String {
        seconds < 100 ? "\(seconds)s" : seconds < 6000 ? "\(seconds / 60)m" : "\(seconds / 3600)h"
    }

    /// A name, the first name where that does not fit, and its beginning.
    func shortened(_ name: String) -> [String] {
        let first = name.split(separator: " ").first.map(String.init) ?? name
        return [name, first, String(first.prefix(3))]
    }

    func signed(_ value: Decimal3?) -> String {
        guard let value else { return "?" }
        return value > 0 ? "+\(value)" : value.description
    }
}

extension Visibility {
    /// Its name without a mark that a catalog's key cannot have.
    var word: String { rawValue.filter { $0 != "_" } }
}
