import Counting
import Models
import Screens
import Terminal

extension CounterApp {
    /// How many rows of a list can be seen now.
    private func capacity(of list: String, on screen: String) -> Int {
        let rows = AppScreens.shipped.screens[screen]?.capacity(of: list, size: size) ?? 0
        return rows > 0 ? rows : 9
    }

    /// How many of the next bins can be seen, and so chosen.
    var taskCapacity: Int { min(9, capacity(of: "tasks.next", on: "tasks")) }

    /// How many rows of the dialog's list can be seen, and so chosen.
    var dialogCapacity: Int {
        let lists: [Page: String] = [
            .close: "close.choices", .reason: "reason.rows", .find: "find.rows", .question: "question.choices",
            .switchoff: "question.choices", .pack: "pack.rows", .tray: "tray.rows", .message: "message.rows",
            .help: "help.keys", .matches: "matches.items", .crew: "crew.rows",
            .note: "note.rows",
        ]
        guard let list = lists[page] else { return 9 }
        let rows = capacity(of: list, on: page.rawValue)
        // What is only read may be longer than what is chosen by one digit.
        return [.help, .tray, .message, .note].contains(page) ? rows : min(9, rows)
    }

    /// How many lines of the open bin can be seen; none where the picture has no room for them.
    var lineCapacity: Int {
        AppScreens.shipped.screens[line == nil ? "bin" : "count"]?
            .capacity(of: "bin.lines", size: size) ?? 0
    }

    /// Which lines of the open bin are in view: a page that was turned to, else the one with `followed` in it.
    func window(of count: Int, following followed: Int?) -> Int {
        let room = lineCapacity
        guard room > 0, count > room else { return 0 }
        if let firstLine { return min(firstLine, count - 1) }
        return followed.map { max(0, $0 - room + 1) } ?? 0
    }

    mutating func turnPage(forward: Bool) {
        if var dialog {
            let count = dialogCapacity
            dialog.first =
                forward
                ? (dialog.first + count < dialog.rows.count ? dialog.first + count : 0) : max(0, dialog.first - count)
            self.dialog = dialog
        } else if page == .tasks {
            if forward, let last = floor.tasks.prefix(taskCapacity).last {
                earlier.append(after)
                after = last.walkSequence
            } else if forward, !earlier.isEmpty {
                // Beyond the last bin the list begins again at the person's own place.
                (after, earlier) = (nil, [])
            } else if !forward, let place = earlier.popLast() {
                after = place
            } else {
                return
            }
            ask(.refresh)
        } else if page == .bin, let bin {
            let (count, room) = (lines(of: bin).rows.count, lineCapacity)
            guard room > 0, count > room else { return }
            let first = lines(of: bin).first
            firstLine = forward ? (first + room < count ? first + room : 0) : max(0, first - room)
            if !forward, first == 0 { firstLine = (count - 1) / room * room }
            message = nil
        }
    }

    // MARK: - Whom a message is for

    /// The person whose name begins with what is typed; with nothing typed the next of all.
    mutating func nextRecipient() {
        guard var dialog, page == .message else { return }
        let people = floor.mates
        let wanted = typed.trimmed.lowercased()
        if !wanted.isEmpty {
            let found = people.first { mate in
                mate.name.lowercased().split(separator: " ").contains { $0.hasPrefix(wanted) }
            }
            // Anything else that is typed is the message, and stays.
            guard let found else { return say("message.whom", ["text": typed], .attention) }
            dialog.recipient = .person(found.id)
            typed = ""
        } else {
            let all = [.floor, .supervisors] + people.map { Recipient.person($0.id) }
            let index = all.firstIndex(of: dialog.recipient) ?? 0
            dialog.recipient = all[(index + 1) % all.count]
        }
        message = nil
        self.dialog = dialog
    }

    /// Whom the message being typed is for, in words.
    func recipientText(_ recipient: Recipient) -> [String] {
        switch recipient {
        case .floor: words("app.ask.message")
        case .supervisors: words("app.ask.messageLead")
        case .person(let id): words("app.ask.messageTo", ["who": floor.names[id] ?? id])
        }
    }
}
