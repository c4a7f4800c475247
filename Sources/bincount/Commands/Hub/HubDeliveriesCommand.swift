import Assembly
import Basics

/// `bincount hub deliveries`: what functions after mutations have not taken, and what is to become of it.
enum HubDeliveriesCommand {
    static let command = Program.Command(
        name: "deliveries", summary: "see what functions have not taken, let it be tried again, or drop it",
        help: """
            bincount hub deliveries list  --data DIR | --hub URL  [--parked] [--json]   number, state, function, record, times, why
            bincount hub deliveries show  --data DIR | --hub URL  NUMBER [--json]       one, with what the function is to get
            bincount hub deliveries retry --data DIR | --hub URL  NUMBER…|all [--json]  try these, or all parked ones, again
            bincount hub deliveries drop  --data DIR | --hub URL  NUMBER… [--json]      forget these for good

            What an --after function does not take is tried again for two hours and then parked. `retry` gives a delivery
            all its tries anew; one that waits for its next try is tried at once. The function is called at least once
            for each, in the order of its record's changes as long as none is parked. `drop` also takes one that waits
            and holds up those behind it. --data may be used while the hub runs, which notices within a second; --hub
            takes the key or token of one of the group admins, as `bincount schema` does.

            Exit 1 where a number names nothing; the others are done all the same.
            """,
        run: run)

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let parkedOnly = arguments.flag("--parked")
        let asJSON = arguments.flag("--json")
        let data = try arguments.value("--data", "DIR")
        let hub = try Options.hub(&arguments)
        let words = try arguments.rest()
        let place: DeliveryProcess
        switch (data, hub) {
        case (let data?, nil): place = .directory(data)
        case (nil, let hub?): place = .hub(hub)
        default: throw UsageError("give either --data DIR or --hub URL")
        }
        let word = words.first ?? "list"
        let rest = Array(words.dropFirst())
        guard !parkedOnly || word == "list" else { throw UsageError("--parked is for list") }
        switch word {
        case "list":
            guard rest.isEmpty else { throw UsageError("list takes no number; say show NUMBER") }
            return try list(place, parkedOnly, asJSON)
        case "show":
            guard rest.count == 1 else { throw UsageError("show takes one NUMBER") }
            return try show(place, try numbers(rest)[0], asJSON)
        case "retry":
            guard !rest.isEmpty else { throw UsageError("retry takes NUMBER… or all") }
            return try perform(place, .retry, rest == ["all"] ? nil : try numbers(rest), asJSON)
        case "drop":
            guard !rest.isEmpty else { throw UsageError("drop takes NUMBER…") }
            return try perform(place, .drop, try numbers(rest), asJSON)
        default: throw UsageError("there is no `hub deliveries \(printable(word))`; say list, show, retry or drop")
        }
    }

    private static func numbers(_ words: [String]) throws -> [Int64] {
        try words.map { word in
            guard let number = Int64(word), number > 0 else {
                throw UsageError("\(printable(word)) is no number that `hub deliveries list` shows")
            }
            return number
        }
    }

    private static func list(_ place: DeliveryProcess, _ parkedOnly: Bool, _ asJSON: Bool) throws -> Int32 {
        var all: [JSONValue] = []
        var after: Int64 = 0
        var count = 0
        while true {
            let from = after
            let page = try waitFor { try await place.list(after: from, parkedOnly: parkedOnly) }
            guard let last = page.last?["number"]?.integer, last > after else { break }
            after = last
            count += page.count
            if asJSON { all += page } else { for delivery in page { print(line(of: delivery)) } }
        }
        if asJSON {
            print(JSONValue.array(all).text)
        } else if count == 0 {
            print(parkedOnly ? "nothing is parked" : "nothing waits: the functions have taken everything")
        }
        return 0
    }

    private static func show(_ place: DeliveryProcess, _ number: Int64, _ asJSON: Bool) throws -> Int32 {
        guard let delivery = try waitFor({ try await place.show(number) }) else {
            throw CommandFailure("there is no delivery \(number); `bincount hub deliveries list` shows their numbers")
        }
        if asJSON {
            print(delivery.text)
        } else {
            print(line(of: delivery))
            print(printable(delivery["payload"]?.text ?? ""))
        }
        return 0
    }

    private static func perform(
        _ place: DeliveryProcess, _ act: DeliveryProcess.Act, _ numbers: [Int64]?, _ asJSON: Bool
    ) throws -> Int32 {
        let outcome = try waitFor { try await place.perform(act, numbers) }
        if asJSON {
            let json: JSONValue = [
                "done": .array(outcome.done.map { .integer($0) }),
                "missing": .array(outcome.missing.map { .integer($0) }),
            ]
            print(json.text)
        } else if outcome.done.isEmpty, numbers == nil {
            print("nothing is parked")
        } else if !outcome.done.isEmpty {
            let what = outcome.done.count == 1 ? "1 delivery" : "\(outcome.done.count) deliveries"
            print(act == .retry ? "\(what) will be tried again" : "\(what) dropped")
        }
        guard outcome.missing.isEmpty else {
            let list = outcome.missing.map(String.init).joined(separator: ", ")
            throw CommandFailure("there is no delivery \(list); `bincount hub deliveries list` shows their numbers")
        }
        return 0
    }

    private static func line(of delivery: JSONValue) -> String {
        func text(_ name: String) -> String { delivery[name]?.string ?? "" }
        let reason = delivery["reason"]?.string.map { ": \($0)" } ?? ""
        let since = delivery["since"]?.string.map { "since \($0)  " } ?? ""
        let next = delivery["nextTry"]?.string.map { ", next \($0)" } ?? ""
        return printable(
            "\(delivery["number"]?.integer ?? 0)  \(text("state"))  \(text("function"))  \(text("record"))  "
                + "\(since)tried \(delivery["attempts"]?.integer ?? 0)\(next)\(reason)")
    }
}
