import Screens

extension SupervisorApp {
    /// All that the supervisor's screens may name.
    package static let contract = ScreenContract(
        values: valueNames, inputs: inputNames, lists: listNames, actions: actionNames, messages: messageNames,
        screens: screenNames, scans: scanNames)

    private static let screenNames: [String] = [
        "act", "assign", "closing", "exceptions", "export", "floor", "lines", "match", "people", "release", "stop",
        "unknown", "variance", "zones",
    ]

    private static let actionNames: [String] = [
        "app.accept", "app.back", "app.choose", "app.down", "app.help", "app.language", "app.more",
        "app.nextField", "app.pageDown", "app.pageUp", "app.signOut", "app.up", "floor.approve", "floor.close",
        "floor.decide",
        "floor.export", "floor.message", "floor.people", "floor.release", "floor.session", "floor.stop",
        "floor.zones", "variance.approveMarked", "variance.mark", "variance.next",
    ]

    private static let scanNames: [String] = [
        "item"
    ]

    private static let messageNames: [String] = [
        "bin.closed", "bin.digitsWrong", "bin.emptied", "bin.notForYou",
        "bin.notInSession", "bin.opened", "bin.reopened", "bin.skipped", "bin.unknown", "choice.early",
        "choice.unknown",
        "choice.which",
        "code.matched", "code.misread", "command.unknown", "crew.joined", "decision.asked",
        "decision.done", "decision.refused", "device.lost", "export.started", "item.again", "item.noMatch",
        "item.noQuantity", "item.unexpected", "item.unknown", "item.wantsLot", "item.wantsSerial",
        "language.changed", "leave.again", "line.changed", "link.back", "link.down", "link.refused", "message.new",
        "message.sent", "note.stored", "pack.unknown", "person.noRight", "person.unknown",
        "quantity.decimals", "quantity.invalid", "quantity.isCode", "quantity.large",
        "reason.missing", "scan.held", "scan.refused", "screens.broken", "serial.elsewhere", "serial.twice",
        "session.closed", "session.none", "session.only", "session.stopped", "storage.failed", "storage.full", "stored",
        "undo.done", "undo.nothing",
    ]

    private static let valueNames: [String] = [
        "act.title", "assign.text", "exceptions.title", "floor.desk", "floor.forecast", "floor.progress", "lines.text",
        "link.note", "match.code", "question.text", "session.name", "sync.clock", "variance.about",
        "variance.bin", "variance.item", "variance.note", "variance.place", "variance.story", "variance.value",
    ]

    private static let inputNames: [String] = [
        "match.entry", "question.entry", "variance.reason",
    ]

    private static let listNames: [String: Set<String>] = [
        "assign.rows": ["name", "note"],
        "exceptions.rows": ["state", "text"],
        "floor.exceptions": ["text"],
        "floor.latest": ["bin", "name", "text", "time"],
        "floor.people": ["age", "bin", "name", "owes", "rate"],
        "floor.zones": ["bins", "done", "left", "name", "strip"],
        "lines.rows": ["bin", "difference", "item", "name", "value"],
        "match.facts": ["text", "value"],
        "match.items": ["code", "name"],
        "people.rows": ["age", "bin", "device", "name", "owes", "rate", "state"],
        "question.choices": ["text"],
        "question.facts": ["text", "value"],
        "unknown.rows": ["code", "quantity", "text"],
        "variance.around": ["text"],
        "variance.choices": ["text"],
        "variance.counts": ["book", "brief", "counted", "difference", "time", "who"],
        "zones.rows": ["bins", "done", "left", "name", "strip"],
    ]
}
