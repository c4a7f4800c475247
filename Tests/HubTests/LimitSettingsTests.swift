import Basics
import System
import Testing

@testable import Hub

/// The limits as a site configures them.
@Suite struct LimitSettingsTests {
    private func read(
        _ words: [String] = [], environment: [String: String] = [:], file: String? = nil
    ) throws -> Settings {
        var arguments = CommandLineArguments(words + (file == nil ? [] : ["--config", "hub.conf"]))
        let settings = try Settings(
            LimitSettings.definitions, arguments: &arguments, environment: { environment[$0] },
            contents: { _ in file ?? "" })
        #expect(try arguments.rest().isEmpty)
        return settings
    }

    /// Every value in it, by name; those of a struct inside one by one.
    private func values(_ value: Any) -> [String: String] {
        var result: [String: String] = [:]
        for child in Mirror(reflecting: value).children {
            let inner = values(child.value)
            if inner.isEmpty {
                result[child.label ?? ""] = "\(child.value)"
            } else {
                for (name, text) in inner { result["\(child.label ?? "").\(name)"] = text }
            }
        }
        return result
    }

    @Test func `each limit has its setting, which changes it and nothing else`() throws {
        let standard = values(HubLimits())
        #expect(LimitSettings.limits(try read()) == HubLimits())
        #expect(standard.count == LimitSettings.definitions.count)
        var changed: Set<String> = []
        for definition in LimitSettings.definitions {
            let text =
                switch definition.placeholder {
                case "TIME": "77s"
                case "BYTES": "70K"
                case "N": "77"
                default: "no"
                }
            // 77 is below what some may be.
            let given = definition.name == "limit-tokens" || definition.name == "limit-rows" ? "777" : text
            let limits = values(LimitSettings.limits(try read([definition.flag, given])))
            let others = limits.filter { standard[$0.key] != $0.value }
            #expect(others.count == 1, "\(definition.name) changes \(others)")
            changed.formUnion(others.keys)
        }
        #expect(changed == Set(standard.keys))
    }

    @Test func `flag, variable and file give the same, in that order`() throws {
        let file = "limit-depth = 30\nlimit-answer = 1M\nlimit-time = 5s\nintrospection = no\n"
        let settings = try read(
            ["--limit-depth", "50"], environment: ["BINCOUNT_LIMIT_DEPTH": "40", "BINCOUNT_LIMIT_ANSWER": "64K"],
            file: file)
        let limits = LimitSettings.limits(settings)
        #expect(limits.depth == 50)
        #expect(limits.answerBytes == 64 << 10)
        #expect(limits.milliseconds == 5_000)
        #expect(!limits.allowsIntrospection)
        let lines = settings.lines(LimitSettings.definitions)
        for line in [
            "limit-depth = 50 (--limit-depth)", "limit-answer = 64K (BINCOUNT_LIMIT_ANSWER)",
            "limit-time = 5s (hub.conf:3)", "introspection = no (hub.conf:4)", "limit-tokens = 15000 (standard)",
            "limit-frame = 240K (standard)", "limit-connection = 1d (standard)",
        ] {
            #expect(lines.contains(line), "\(line) in \(lines)")
        }
    }

    @Test(arguments: [
        ("limit-depth = 1", "limit-depth 1: it is a whole number from 2 to 1000"),
        ("limit-depth = deep", "limit-depth deep: it is a whole number from 2 to 1000"),
        ("limit-answer = 5X", "limit-answer 5X: it is a number of bytes such as 4096, 240K or 5M"),
        ("limit-answer = 1K", "limit-answer 1K: it is from 16K to 1024M"),
        ("limit-time = 1ms", "limit-time 1ms: it is at least 10ms"),
        ("introspection = maybe", "introspection maybe: it is one of yes|no"),
        ("limit-deepness = 7", "there is no setting limit-deepness"),
    ])
    func `what is wrong is named with file, line and value`(_ line: String, _ problem: String) {
        let error = #expect(throws: UsageError.self) { try read(file: "# limits\n\n\(line)\n") }
        #expect(error?.description.hasPrefix("hub.conf:3: \(problem)") == true, "\(error?.description ?? "")")
    }

    @Test func `the documentation lists each with its standard`() throws {
        let root = Files.parent(of: Files.parent(of: Files.parent(of: #filePath)))
        let text = try Files.readText(root + "/Sources/Hub/Hub.docc/Limits.md")
        for definition in LimitSettings.definitions {
            #expect(text.contains("| `\(definition.name)` | \(definition.defaultText ?? "") |"), "\(definition.name)")
        }
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `") }
        #expect(rows.count == LimitSettings.definitions.count)
    }
}
