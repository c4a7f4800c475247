import Screens

/// Values for every binding of the shipped screens: those of the drawings, and their like for the other screens.
enum Samples {
    private static func text(_ variants: String...) -> FieldValue { .text(variants) }

    private static func row(_ pairs: KeyValuePairs<String, FieldValue>) -> ListRow {
        ListRow(Dictionary(pairs.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first }))
    }

    static let typical: [String: FieldValue] = shared.merging(counter) { $1 }.merging(questions) { $1 }
        .merging(supervisor) { $1 }

    /// Some screens are drawn at moments that exclude each other.
    static func values(for screen: String) -> [String: FieldValue] {
        var values = typical
        switch screen {
        case "floor", "variance": values["link.note"] = .hidden
        case "tasks": values["tasks.entry"] = .input("")
        case "bin": values["bin.entry"] = .input("")
        case "count": values["bin.total"] = text("3 lines, 12 stored, 2 open")
        default: break
        }
        if screen == "bin" {
            for name in values.keys where name.hasPrefix("item.") || name.hasPrefix("count.") { values[name] = .hidden }
        }
        return values
    }

    private static let shared: [String: FieldValue] = [
        "device.code": "T07",
        "person.name": "Ann Lee",
        "sync.badge": "12 v9m",
        "sync.clock": text("^ 14:20", "^"),
        "link.note": text("No link for 9 min: what the others do is as of 09:41.", "others as of 09:41"),
        "session.name": text("Night count, wall-to-wall, blind", "Night count, blind", "Night count"),
    ]

    private static let counter: [String: FieldValue] = [
        "signin.entry": .input("ann"),
        "signin.pin": .input("1234"),
        "signin.pending": .rows([
            row([
                "name": "Bob Miles", "count": .number("12"),
                "note": text("sent as Bob, whoever is signed in here", "sent as Bob"),
            ])
        ]),
        "signin.progress": text(
            "Bins 41 %, items 100 %: you can sign in and count now.", "Bins 41% - sign in"),
        "tasks.place": text("Aisle B12", "B12"),
        "tasks.done": text("12 of 40", "12/40"),
        "tasks.entry": .input(""),
        "tasks.today": "12 bins today, 41 an hour. All stored here; 12 to send when the link is back.",
        "tasks.next": .rows([
            row(["code": "B12-07-03"]),
            row(["code": "B12-07-04"]),
            row(["code": "B12-07-05", "note": text("Bob is here", "Bob")]),
            row(["code": "B12-08-01", "note": text("pick open", "!pick")]),
            row(["code": "B12-08-02"]),
            row(["code": "B12-08-03", "note": text("needs the lift", "lift")]),
            row(["code": "B12-08-04"]),
        ]),
        "tasks.news": .rows([
            row(["time": "09:38", "text": "Lead: dock 4 is being unloaded, leave D04 for later."]),
            row([
                "time": "09:31", "text": "Code 4006381333931 is now 4711-AX, case of 12: B12-06-02 is complete.",
            ]),
        ]),
        "crew.people": .rows([
            row(["name": "Bob", "bin": "B12-07-05", "state": "38 bins"]),
            row(["name": "Cara", "bin": "C01-02-01", "state": "21 bins"]),
            row(["name": "Dan", "bin": "-", "state": "off 12m"]),
        ]),
        "bin.code": "B12-07-03",
        "bin.who": text("Ann + Bob helping (adds up)", "Ann + Bob (adds up)"),
        "bin.entry": .input("4711-AX"),
        "bin.lines": .rows([
            row([
                "code": "4711-AX", "name": "Filter 10\" blue", "quantity": text("170"), "who": "Ann",
            ]),
            row(["code": "0815-B", "name": "Valve 1/2\"", "quantity": "-", "who": "Ann"]),
            row([
                "code": text("?4006381333931", "?4006..3931"), "name": "unknown code", "quantity": text("1 ?"),
                "who": "Ann",
            ]),
        ]),
        "bin.total": text("3 lines 170, 2 open"),
        "bin.notice": text("A pick is open here: count what you see.", "Pick open: count what you see"),
        "pass.ticket": "T07-0031",
        "item.code": "4711-AX",
        "item.name": "Filter 10\" blue",
        "item.pack": "case = 12 EA",
        "item.lot": "lot A77",
        "count.question": "HOW MANY?",
        "count.unit": "EA",
        "count.quantity": .big("158"),
        "count.expression": .input(InputValue("13*12+2", trailing: " = 158")),
        "count.total": text("you 158 + Bob 12 = 170", "you 158 + Bob 12=170"),
        "close.facts": .rows([
            row(["text": "Lines", "value": .number("3")]),
            row(["text": "Units", "value": .number("170")]),
            row(["text": text("0815-B was scanned and has no quantity", "0815-B no qty"), "value": "!"]),
            row(["text": text("Unknown codes, kept with their raw scan", "Unknown codes"), "value": .number("1")]),
        ]),
        "close.choices": .rows([
            row(["text": text("go on counting: 0815-B, how many?", "go on counting")]),
            row(["text": text("all of this bin is counted", "all of it counted")]),
            row(["text": text("only part of it could be counted (asks why)", "only part counted")]),
        ]),
        "close.next": "B12-07-04",
        "close.question": "0815-B: how many?",
        "help.text": text(
            "Scan each item, type how many, Enter. Scan the next bin when done.", "Scan items, type how many."),
        "help.keys": .rows(Shipped.library.help(for: "count", language: "en")),
        "matches.question": text("'filter' may mean these.", "'filter':"),
        "matches.items": .rows([
            row(["code": "4711-AX", "name": "Filter 10\" blue"]),
            row(["code": "4711-BX", "name": "Filter 10\" red"]),
            row(["code": "FL-2000", "name": "Filter housing"]),
        ]),
        "reason.title": text("SKIP B12-07-03", "SKIP"),
        "reason.question": text("Why is this bin skipped? It stays open for others.", "Why is it skipped?"),
        "reason.rows": .rows([
            row(["text": text("needs the lift")]), row(["text": text("blocked by a pallet", "blocked")]),
            row(["text": text("label missing")]),
        ]),
        "reason.entry": .input("wet floor"),
        "digits.question": text("B12-07-03: type the two digits on its label.", "B12-07-03 label?"),
        "digits.entry": .input("47"),
        "tray.text": text(
            "Kept with the raw scan. Say what they are, or leave it to the supervisor.", "Say what they are"),
        "tray.rows": .rows([
            row([
                "code": text("4006381333931", "4006..3931"), "quantity": .number("1"), "bin": "B12-07-03",
                "note": "scanned 3 times",
            ]),
            row(["code": "X-99", "quantity": .number("12"), "bin": "B12-06-02", "note": "typed"]),
        ]),
        "pack.question": text("4711-AX is counted in EA. Count it in:", "4711-AX in:"),
        "pack.rows": .rows([
            row(["unit": "EA", "text": "each"]), row(["unit": "CASE", "text": "case = 12 EA"]),
            row(["unit": "PAL", "text": "pallet = 40 CASE"]),
        ]),
        "pack.entry": .input("6"),
        "find.entry": .input("07-0"),
        "find.rows": .rows([
            row(["code": "B12-07-03", "note": "open"]), row(["code": "B12-07-04", "note": "to do"]),
            row(["code": "C01-07-01", "note": "counted by Cara"]),
        ]),
        "crew.question": text("Whose bin do you help with? The counts add up.", "Whose bin?"),
        "crew.prompt": "SCAN THE BADGE",
        "crew.rows": .rows([
            row(["name": "Bob Miles", "bin": "B12-07-05", "state": "counting"]),
            row(["name": "Cara Diaz", "bin": "C01-02-01", "state": "counting"]),
        ]),
        "crew.entry": .input(""),
        "note.about": text("B12-07-03, 4711-AX: the note goes with the count.", "B12-07-03 4711-AX"),
        "note.rows": .rows([row(["time": "09:12", "text": "carton is torn"])]),
        "note.entry": .input("two cases are wet"),
        "message.to": text("To everyone counting in aisle B12.", "To: aisle B12"),
        "message.rows": .rows([
            row(["time": "09:38", "from": "Lead", "text": "dock 4 is being unloaded, leave D04 for later"]),
            row(["time": "09:40", "from": "Bob", "text": "taking B12-07-05"]),
        ]),
        "message.entry": .input("ok"),
    ]

    private static let questions: [String: FieldValue] = [
        "question.title": text("158 IS A LOT", "SO MANY?"),
        "question.text": text("158 is more than ten cases of 4711-AX. Is it so?", "158: more than ten cases. Sure?"),
        "question.facts": .rows([
            row(["text": "4711-AX", "value": .number("158")]), row(["text": "case of 12", "value": .number("13.2")]),
        ]),
        "question.choices": .rows([
            row(["text": text("yes, 158", "yes")]), row(["text": text("no, count again", "no")]),
        ]),
        "question.entry": .input("cycle done"),
    ]

    private static let supervisor: [String: FieldValue] = [
        "floor.progress": text("62% of 753 bins", "62% of 753"),
        "floor.forecast": text("done 16:40, 4 here", "done 16:40"),
        "floor.desk": "Desk 2 s ago   book 08:00, movements to 14:15   ERP 2 confirmed, 1 held",
        "floor.exceptions": .rows([
            row(["text": text("17 lines to decide, 2 410.00 gross", "17 to decide")]),
            row(["text": text("T07 Ann silent 12 min, last entry T07-412", "T07 silent 12 min")]),
            row(["text": text("B12-07-03 two counts differ: 23 / 25", "2 counts differ")]),
            row(["text": text("3 unknown codes in 5 bins", "3 unknown codes")]),
            row(["text": text("T09 2 entries refused by the hub", "T09: 2 refused")]),
            row(["text": text("4 bins only partly counted", "4 partly counted")]),
        ]),
        "floor.people": .rows([
            row([
                "name": "Ann", "bin": "B12-07-03", "rate": .number("41"), "owes": .number("?"), "age": .number("12m!"),
            ]),
            row(["name": "Bob", "bin": "B12-07-05", "rate": .number("38"), "owes": .number("0"), "age": .number("1s")]),
            row(["name": "Cara", "bin": "C01-02-01", "rate": .number("44"), "owes": .number("0"), "age": .number("2s")]
            ),
            row(["name": "Dan", "bin": "D04-01-01", "rate": .number("17"), "owes": .number("3"), "age": .number("1s")]),
            row(["name": "Eve", "bin": "-", "age": .number("out")]),
        ]),
        "floor.zones": .rows(zones),
        "floor.latest": .rows([
            row(["time": "14:20:07", "name": "Bob", "bin": "B12-07-05", "text": "4711-AX   +144 = 158"]),
            row(["time": "14:20:05", "name": "Cara", "bin": "C01-02-01", "text": "empty, proved by check digits"]),
        ]),
        "variance.place": text("Line 1 of 17, by value", "1 of 17"),
        "variance.value": "-10 = 120.00 EUR",
        "variance.bin": "B12-07-03",
        "variance.item": "4711-AX",
        "variance.about": "Filter 10\" blue, class A, tolerance 0.2 %",
        "variance.counts": .rows([
            row([
                "who": "Ann Lee, T07-0031", "brief": "Ann 0900", "time": "09:00", "counted": .number("90"),
                "book": .number("100"), "difference": .number("-10"),
            ]),
            row([
                "who": "Bob Miles, T12-0018", "brief": "Bob 1000", "time": "10:00", "counted": .number("90"),
                "book": .number("90"), "difference": .number("0"),
            ]),
        ]),
        "variance.story": text(
            "Equal numbers, unequal truth: a pick of 10 was booked at 09:30 between them.\n"
                + "Bob agrees with the book of his minute. Proposed: Bob stands, Ann overturned.",
            "pick 10 at 0930:\nBob = book"),
        "variance.around": .rows([
            row(["text": "09:30  pick 10 booked, document 8000417 (30 min from either count: clear)"]),
            row(["text": "neighbour B12-07-04: 4711-AX +10 at 09:05, counted by Ann: swapped bins?"]),
        ]),
        "variance.choices": .rows([
            row(["text": "accept Bob's 90"]),
            row(["text": text("send someone else (not Ann, not Bob)", "recount")]),
            row(["text": text("later: keep it open, with a note", "later")]),
        ]),
        "variance.reason": .input(""),
        "variance.note": text("You sign revision 3 of this line; if it changes first, you are asked again.", ""),
        "act.title": text("T07 ANN LEE", "T07"),
        "exceptions.title": text("4 BINS ONLY PARTLY COUNTED", "4 PARTLY"),
        "exceptions.rows": .rows([
            row(["text": text("B12-07-03 Ann: wet floor", "B12-07-03"), "state": "asked"]),
            row(["text": text("B12-09-01 Bob: needs the lift", "B12-09-01")]),
        ]),
        "lines.text": text("17 lines, 2 410.00 gross, 3 marked.", "17 lines, 3 marked"),
        "lines.rows": .rows([
            row([
                "bin": "B12-07-03", "item": "4711-AX", "name": "Filter 10\" blue", "difference": .number("-10"),
                "value": .number("120.00"),
            ]),
            row([
                "bin": "C01-02-01", "item": "FL-2000", "name": "Filter housing", "difference": .number("+2"),
                "value": .number("61.30"),
            ]),
        ]),
        "people.rows": .rows([
            row([
                "name": text("Ann Lee", "Ann"), "device": "T07", "bin": "B12-07-03", "state": "silent",
                "rate": .number("41"),
                "owes": .number("?"), "age": .number("12m!"),
            ]),
            row([
                "name": text("Bob Miles", "Bob"), "device": "T12", "bin": "B12-07-05", "state": "counting",
                "rate": .number("38"), "owes": .number("0"), "age": .number("1s"),
            ]),
        ]),
        "zones.rows": .rows(zones),
        "unknown.rows": .rows([
            row([
                "code": text("4006381333931", "4006..3931"), "quantity": .number("3"),
                "text": "5 bins, first B12-07-03",
            ]),
            row(["code": "X-99", "quantity": .number("12"), "text": "B12-06-02"]),
        ]),
        "match.code": text("4006381333931 was scanned 5 times in 5 bins.", "4006381333931: what is it?"),
        "match.facts": .rows([row(["text": "EAN-13, check digit right", "value": "]E0"])]),
        "match.items": .rows([
            row(["code": "4711-AX", "name": "Filter 10\" blue"]), row(["code": "4711-BX", "name": "Filter 10\" red"]),
        ]),
        "match.entry": .input("4711-AX x 12"),
        "assign.text": text("B12-07-03 4711-AX: not Ann, not Bob.", "not Ann, not Bob"),
        "assign.rows": .rows([
            row(["name": "Cara Diaz", "note": text("C01-02-01, 44 an hour", "C01")]),
            row(["name": "Dan Fox", "note": text("D04-01-01, 17 an hour", "D04")]),
        ]),
    ]

    private static let zones: [ListRow] = [
        zone("A Tool crib", "A", "120", "79", "41", "##############!###########::.......#########"),
        zone("B Racks", "B", "400", "312", "88", "########################!!####::::.........."),
        zone("C Paint", "C", "103", "103", "0", String(repeating: "#", count: 103)),
        zone("D Docks", "D", "130", "0", "130", String(repeating: ".", count: 130)),
    ]

    private static func zone(
        _ name: String, _ short: String, _ bins: String, _ done: String, _ left: String, _ strip: String
    ) -> ListRow {
        row([
            "name": text(name, short), "bins": .number(bins), "done": .number(done), "left": .number(left),
            "strip": .strip(strip),
        ])
    }
}
