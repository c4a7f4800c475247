import Screens

extension CounterApp {
    /// All that the counter's screens may name.
    package static let contract = ScreenContract(
        values: valueNames, inputs: inputNames, lists: listNames, actions: actionNames, messages: messageNames,
        screens: screenNames, scans: scanNames)

    private static let screenNames: [String] = [
        "bin", "close", "count", "crew", "digits", "find", "help", "matches", "message", "note", "pack",
        "question", "reason", "signin", "switchoff", "tasks", "tray",
    ]

    private static let actionNames: [String] = [
        "app.accept", "app.back", "app.choose", "app.down", "app.help", "app.language", "app.more",
        "app.nextField", "app.off", "app.pageDown", "app.pageUp", "app.signOut", "app.up", "bin.close",
        "bin.empty", "bin.find", "bin.join", "bin.message", "bin.note", "bin.pack", "bin.redo", "bin.skip", "bin.tray",
        "bin.undo", "tasks.find", "tasks.helpSomeone", "tasks.message", "tasks.reopen", "tasks.tray",
    ]

    private static let scanNames: [String] = [
        "badge", "bin", "item", "serial",
    ]

    private static let messageNames: [String] = [
        "bin.closed", "bin.closedWith", "bin.digitsWrong", "bin.emptied", "bin.hasCounts", "bin.notForThem",
        "bin.notForYou", "bin.notHere", "bin.notInSession", "bin.opened", "bin.reopened", "bin.skipped", "bin.unknown",
        "choice.early",
        "choice.unknown",
        "code.matched", "code.misread", "command.unknown", "crew.alone", "crew.companion", "crew.goesOn", "crew.joined",
        "crew.taken",
        "crew.yourself", "decision.asked", "decision.done", "decision.refused", "device.lost", "export.started",
        "item.again", "item.needsBin", "item.noMatch", "item.noQuantity", "item.unexpected", "item.unknown",
        "item.wantsLot", "item.wantsSerial", "language.changed", "leave.again", "line.changed", "link.back",
        "link.down",
        "link.refused", "message.new", "message.sent", "message.whom", "note.stored", "pack.unknown",
        "person.noRight", "person.none", "person.unknown", "quantity.decimals", "quantity.invalid", "quantity.isCode",
        "quantity.large", "reason.missing", "redo.done", "scan.held", "scan.refused", "screens.broken",
        "serial.elsewhere", "serial.twice", "session.closed", "session.none", "session.stopped", "storage.failed",
        "storage.full", "stored", "undo.done", "undo.nothing",
    ]

    private static let valueNames: [String] = [
        "bin.code", "bin.notice", "bin.total", "bin.who", "close.next", "close.question", "count.quantity",
        "count.question",
        "count.total", "count.unit", "crew.prompt", "crew.question", "device.code", "digits.question", "help.text",
        "item.code", "item.lot", "item.name", "item.pack", "link.note", "matches.question", "message.to",
        "note.about", "pack.question", "pass.ticket", "person.name", "question.text", "question.title",
        "reason.question", "reason.title", "session.name", "signin.progress", "sync.badge", "tasks.done",
        "tasks.place", "tasks.today", "tray.text",
    ]

    private static let inputNames: [String] = [
        "bin.entry", "count.expression", "crew.entry", "digits.entry", "find.entry", "message.entry",
        "note.entry", "pack.entry", "reason.entry", "signin.entry", "signin.pin", "tasks.entry",
    ]

    private static let listNames: [String: Set<String>] = [
        "bin.lines": ["code", "name", "quantity", "who"],
        "close.choices": ["text"],
        "close.facts": ["text", "value"],
        "crew.people": ["bin", "name", "state"],
        "crew.rows": ["bin", "name", "state"],
        "find.rows": ["code", "note"],
        "help.keys": ["key", "text"],
        "matches.items": ["code", "name"],
        "message.rows": ["from", "text", "time"],
        "note.rows": ["text", "time"],
        "pack.rows": ["text", "unit"],
        "question.choices": ["text"],
        "question.facts": ["text", "value"],
        "reason.rows": ["text"],
        "signin.pending": ["count", "name", "note"],
        "tasks.news": ["text", "time"],
        "tasks.next": ["code", "note"],
        "tray.rows": ["bin", "code", "note", "quantity"],
    ]
}
