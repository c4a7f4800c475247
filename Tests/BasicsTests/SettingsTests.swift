import Basics
import Testing

@Suite("Settings")
struct SettingsTests {
    private let listen = Setting<String>.text("listen", "HOST:PORT", default: "127.0.0.1:1", help: "where")
    private let keys = Setting<[String]>.texts("api-key", "KEY", isSecret: true, help: "keys")
    private let noDesk = Setting<Bool>.flag("no-desk", help: "no desk")
    private let horizon = Setting<Int64>.duration("horizon", atLeast: "1h", default: "30d", help: "how long")
    private let limit = Setting<Int>.integer("limit", 1...10, default: 5, help: "how many")
    private let format = Setting<String>.choice("log-format", ["text", "json"], default: "text", help: "form")

    private func settings(
        _ words: [String] = [], _ environment: [String: String] = [:], file: String = ""
    ) throws -> (Settings, [String]) {
        var arguments = CommandLineArguments(words)
        let settings = try Settings(
            [
                listen.definition, keys.definition, noDesk.definition, horizon.definition, limit.definition,
                format.definition,
            ], known: [Setting<String?>.text("other", "X", help: "of another command").definition],
            arguments: &arguments, environment: { environment[$0] }, contents: { _ in file })
        return (settings, try arguments.rest())
    }

    private func refusal(
        _ words: [String] = [], _ environment: [String: String] = [:], file: String = ""
    ) -> String {
        do {
            _ = try settings(words, environment, file: file)
            return "accepted"
        } catch { return "\(error)" }
    }

    @Test("A flag goes before the environment, and the environment before the file")
    func precedence() throws {
        let file = "# a comment\n\nlisten = \"1.1.1.1:3\"\nlimit = 3\nhorizon = 36h\nother = x\n"
        let all = try settings(
            ["--listen", "1.1.1.1:1", "--config", "f", "word"],
            ["BINCOUNT_LISTEN": "1.1.1.1:2", "BINCOUNT_LIMIT": "2"], file: file)
        #expect(all.0[listen] == "1.1.1.1:1")
        #expect(all.0[limit] == 2)
        #expect(all.0[horizon] == 36 * 3_600_000)
        #expect(all.0[format] == "text")
        #expect(all.1 == ["word"])
        #expect(all.0.origin(of: horizon) == .file("f", line: 5))
        #expect(all.0.origin(of: limit) == .environment("BINCOUNT_LIMIT"))
        #expect(all.0.origin(of: listen) == .commandLine)
        #expect(all.0.origin(of: format) == .standard)
        let fromEnvironment = try settings([], ["BINCOUNT_CONFIG": "f"], file: "listen = 1.1.1.1:3")
        #expect(fromEnvironment.0[listen] == "1.1.1.1:3")
    }

    @Test("What may be given several times is repeated by flags and lines, and apart by blanks in the environment")
    func repeated() throws {
        #expect(try settings(["--api-key", "a", "--api-key=b"]).0[keys] == ["a", "b"])
        #expect(try settings([], ["BINCOUNT_API_KEY": "a b"]).0[keys] == ["a", "b"])
        #expect(try settings(["--config=f"], file: "api-key = a\napi-key = b").0[keys] == ["a", "b"])
        #expect(try settings(["--api-key", "c", "--config=f"], file: "api-key = a\napi-key = b").0[keys] == ["c"])
    }

    @Test("A flag is on by itself, and yes or no elsewhere")
    func flags() throws {
        #expect(try settings(["--no-desk"]).0[noDesk])
        #expect(try settings(["--no-desk=no"], ["BINCOUNT_NO_DESK": "yes"]).0[noDesk] == false)
        #expect(try settings(["--config=f"], file: "no-desk = on").0[noDesk])
        #expect(try settings().0[noDesk] == false)
    }

    @Test("What is wrong is named with its flag, its variable, or its file and line, and with the value")
    func refusals() {
        #expect(refusal(["--config=hub.conf"], file: "limit = 3\nlisen = x") == "hub.conf:2: there is no setting lisen")
        #expect(refusal(["--config=hub.conf"], file: "limit = 30").hasPrefix("hub.conf:1: limit 30: it is a whole"))
        #expect(refusal(["--config=hub.conf"], file: "limit = 3\nlimit = 4").contains("hub.conf:2: limit stands there"))
        #expect(refusal(["--config=hub.conf"], file: "limit") == "hub.conf:1: a line is `name = value`")
        #expect(refusal(["--horizon", "5m"]) == "--horizon 5m: it is at least 1h")
        #expect(refusal(["--horizon", "soon"]) == "--horizon soon: it is a time such as 90s, 15m, 12h or 30d")
        #expect(refusal([], ["BINCOUNT_LOG_FORMAT": "xml"]) == "BINCOUNT_LOG_FORMAT xml: it is one of text|json")
    }

    @Test("A value is checked in the file even where a flag goes before it")
    func shadowedValueIsChecked() {
        #expect(refusal(["--limit", "2", "--config=f"], file: "limit = x").hasPrefix("f:1: limit x"))
    }

    @Test("Help names every flag with what it takes and what holds without it")
    func help() {
        let text = Settings.help([listen.definition, keys.definition, noDesk.definition])
        #expect(text.contains("  --listen HOST:PORT\n      where (127.0.0.1:1)"))
        #expect(text.contains("  --api-key KEY …\n"))
        #expect(text.contains("  --no-desk\n"))
    }
}
