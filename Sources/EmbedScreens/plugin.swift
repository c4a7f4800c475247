import Foundation
import PackagePlugin

/// Puts the files of `screens/` into the binary, so that a missing or broken directory never stops a terminal.
@main
struct EmbedScreens: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let folder = context.package.directoryURL.appending(path: "screens")
        // By path: a directory that is a link would be listed as empty by its URL.
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
            .map { folder.appending(path: $0) }
            .filter { ["screen", "catalog"].contains($0.pathExtension) }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
        let output = context.pluginWorkDirectoryURL.appending(path: "ShippedScreens.generated.swift")
        return [
            .buildCommand(
                displayName: "Embed \(files.count) screen files",
                executable: try context.tool(named: "screenembed").url,
                arguments: [output.path(percentEncoded: false)] + files.map { $0.path(percentEncoded: false) },
                inputFiles: files, outputFiles: [output])
        ]
    }
}
