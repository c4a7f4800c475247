import Assembly
import Basics
import GraphQL
import Hub
import Models
import System

/// `bincount schema`: checks a schema, or writes it for Amplify.
enum SchemaCommand {
    static let command = Program.Command(
        name: "schema", summary: "check a schema, or export it for AppSync",
        help: """
            bincount schema status FILE [--data DIR]        checks a schema: its models, or every mistake with its place;
                                                            with --data what it would change in that hub's database,
                                                            or why it is refused. Nothing is changed, and the hub may run.
            bincount schema export --appsync FILE --out DIR writes it for AppSync: schema.graphql without our directives,
                                                            and transform.conf.json with the conflict strategies
            """,
        run: run)

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let forAppSync = arguments.flag("--appsync")
        let out = try arguments.value("--out", "DIR")
        let data = try arguments.value("--data", "DIR")
        let words = try arguments.rest()
        guard words.count == 2 else { throw UsageError("say `status FILE` or `export --appsync FILE --out DIR`") }
        let text = try Files.readText(words[1])
        do {
            switch words[0] {
            case "status":
                let schema = try Schema(sdl: text)
                if let data {
                    let changes = try HubCheck.migration(of: data, to: schema)
                    print(changes.isEmpty ? "the hub's database fits" : changes.joined(separator: "\n"))
                    return 0
                }
                for model in schema.models {
                    print("\(model.name): \(model.fields.count) fields, \(model.syncPolicy.rawValue)")
                }
            case "export":
                guard forAppSync, let out else { throw UsageError("export needs --appsync and --out DIR") }
                let export = try AppSyncExport(sdl: text)
                try Files.createDirectory(out)
                try Files.writeAtomically(export.schema, to: out + "/schema.graphql")
                try Files.writeAtomically(export.transformConfiguration, to: out + "/transform.conf.json")
                print("written to \(out)")
            default: throw UsageError("there is no `schema \(words[0])`; say status or export")
            }
        } catch let mistakes as SchemaMistakes {
            for mistake in mistakes.mistakes {
                printError("\(words[1]):\(mistake.line):\(mistake.column): \(mistake.message)")
            }
            return 1
        }
        return 0
    }
}
