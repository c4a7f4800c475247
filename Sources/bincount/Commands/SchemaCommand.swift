import Assembly
import Basics
import GraphQL
import Hub
import Models
import System

/// `bincount schema`: checks a schema, shows and changes a hub's, or writes it for Amplify.
enum SchemaCommand {
    static let command = Program.Command(
        name: "schema", summary: "check a schema, show or change a hub's, or export it for AppSync",
        help: """
            bincount schema status FILE [--data DIR | --hub URL]
                                                            checks a schema: its models, or every mistake with its place;
                                                            with --data what it would change in that hub's database,
                                                            or why it is refused; with --hub what a push would change.
                                                            Nothing is changed, and the hub may run.
            bincount schema push FILE --hub URL [--allow-destructive]
                                                            puts it in the place of the schema that the hub serves, while
                                                            it runs. What is added is taken over at once; what takes
                                                            something from records or older clients is refused with its
                                                            name, or done after a verified backup. What the control desk
                                                            inside the hub works with never goes; rules that take
                                                            rights from it need to be allowed too. The hub serves it
                                                            after a restart too, as long as it is started as before.
            bincount schema pull --hub URL | --data DIR [--out FILE]
                                                            prints the schema as the hub has it; with --data the one that
                                                            was pushed last, for which the hub need not run
            bincount schema export --appsync FILE --out DIR writes it for AppSync: schema.graphql without our directives,
                                                            and transform.conf.json with the conflict strategies

            --hub takes the key or token of one of the group admins: --api-key-file FILE, --token-file FILE,
            BINCOUNT_API_KEY or BINCOUNT_TOKEN; --tls-authority FILE is whom to believe there.
            """,
        run: run)

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let forAppSync = arguments.flag("--appsync")
        let allowsDestructive = arguments.flag("--allow-destructive")
        let out = try arguments.value("--out", "DIR")
        let data = try arguments.value("--data", "DIR")
        let hub = try Options.hub(&arguments)
        let words = try arguments.rest()
        let word = words.first ?? ""
        guard words.count == (word == "pull" ? 1 : 2) else {
            throw UsageError("say `status FILE`, `push FILE`, `pull` or `export --appsync FILE --out DIR`")
        }
        guard !allowsDestructive || word == "push" else { throw UsageError("--allow-destructive is for push") }
        guard hub == nil || data == nil else { throw UsageError("give either --hub URL or --data DIR") }
        if word == "pull" { return try pull(hub, data: data, to: out) }
        let text = try Files.readText(words[1])
        for remark in Schema.remarks(sdl: text) { printError("\(words[1]):\(printable("\(remark)")) (a warning)") }
        do {
            switch word {
            case "status": try status(text, hub, data: data)
            case "push":
                guard let hub else { throw UsageError("push needs --hub URL") }
                _ = try Schema(sdl: text)
                try push(text, to: hub, allowsDestructive: allowsDestructive)
            case "export":
                guard forAppSync, let out else { throw UsageError("export needs --appsync and --out DIR") }
                let export = try AppSyncExport(sdl: text)
                try Files.createDirectory(out)
                try Files.writeAtomically(export.schema, to: out + "/schema.graphql")
                try Files.writeAtomically(export.transformConfiguration, to: out + "/transform.conf.json")
                print("written to \(out)")
            default: throw UsageError("there is no `schema \(word)`; say status, push, pull or export")
            }
        } catch let refused as SchemaProcess.Refused {
            for detail in refused.details { printError(detail) }
            throw refused
        } catch let mistakes as SchemaMistakes {
            for mistake in mistakes.mistakes {
                printError("\(words[1]):\(mistake.line):\(mistake.column): \(mistake.message)")
            }
            return 1
        }
        return 0
    }

    private static func status(_ text: String, _ hub: HubLink?, data: String?) throws {
        let schema = try Schema(sdl: text)
        if let hub {
            let outcome = try waitFor {
                try await SchemaProcess.push(text, to: hub, allowsDestructive: true, isTrial: true)
            }
            print(outcome.changes.isEmpty ? "the hub serves the same models" : lines(outcome))
            if let refusal = outcome.refusal { print("a push is refused: \(printable(refusal))") }
            return
        }
        if let data {
            let changes = try HubCheck.migration(of: data, to: schema)
            print(changes.isEmpty ? "the hub's database fits" : changes.joined(separator: "\n"))
            return
        }
        for model in schema.models {
            print("\(model.name): \(model.fields.count) fields, \(model.syncPolicy.rawValue)")
        }
    }

    private static func push(_ text: String, to hub: HubLink, allowsDestructive: Bool) throws {
        let outcome = try waitFor {
            try await SchemaProcess.push(text, to: hub, allowsDestructive: allowsDestructive, isTrial: false)
        }
        if !outcome.changes.isEmpty { print(lines(outcome)) }
        if let backup = outcome.backup { print("the database as it was: \(printable(backup))") }
        print(outcome.isApplied ? "the hub serves this schema now" : "the hub served it already")
    }

    private static func lines(_ outcome: SchemaProcess.Outcome) -> String {
        outcome.changes.map { (($0.isDestructive ? "destructive: " : "") + printable($0.text)) }.joined(separator: "\n")
    }

    private static func pull(_ hub: HubLink?, data: String?, to out: String?) throws -> Int32 {
        let text: String
        if let hub {
            text = try waitFor { try await SchemaProcess.pull(hub) }
        } else if let data {
            guard let pushed = try HubCheck.pushedSchema(of: data) else {
                throw CommandFailure("nothing was pushed to the hub in \(data): it serves what it is started with")
            }
            text = pushed
        } else {
            throw UsageError("pull needs --hub URL or --data DIR")
        }
        if let out {
            try Files.writeAtomically(text, to: out)
        } else {
            print(text, terminator: text.hasSuffix("\n") ? "" : "\n")
        }
        return 0
    }
}
