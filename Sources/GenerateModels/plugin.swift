import Foundation
import PackagePlugin

/// Runs `modelgen` on the target's own `.graphql` file, else on the package's `schema.graphql`.
@main
struct GenerateModels: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let own = (target as? any SourceModuleTarget)?.sourceFiles.first { $0.url.pathExtension == "graphql" }?.url
        let schema = own ?? context.package.directoryURL.appending(path: "schema.graphql")
        let output = context.pluginWorkDirectoryURL.appending(path: "Models.generated.swift")
        return [
            .buildCommand(
                displayName: "Generate models from \(schema.lastPathComponent)",
                executable: try context.tool(named: "modelgen").url,
                arguments: [schema.path(percentEncoded: false), output.path(percentEncoded: false)],
                inputFiles: [schema], outputFiles: [output])
        ]
    }
}
