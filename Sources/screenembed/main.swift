// screenembed OUT FILE…: writes one Swift file with the texts of the given files, for the EmbedScreens plugin.
import Foundation

let words = CommandLine.arguments
guard words.count >= 2 else {
    FileHandle.standardError.write(Data("usage: screenembed OUT FILE…\n".utf8))
    exit(2)
}
var source = "// Made by screenembed from the package's screens; not to be edited.\n\n"
source += "/// The screen and catalog files that ship inside the binary, by file name.\n"
source += "let shippedScreenFiles: [String: String] = [\n"
do {
    for path in words.dropFirst(2) {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let name = URL(fileURLWithPath: path).lastPathComponent
        source += "    \"\(name)\": ###\"\"\"\n\(text)\n\"\"\"###,\n"
    }
    source += words.count == 2 ? "    :\n]\n" : "]\n"
    let old = try? String(contentsOfFile: words[1], encoding: .utf8)
    if old != source { try source.write(toFile: words[1], atomically: true, encoding: .utf8) }
} catch {
    FileHandle.standardError.write(Data("screenembed: \(error)\n".utf8))
    exit(1)
}
