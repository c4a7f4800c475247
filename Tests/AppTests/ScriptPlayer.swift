import Glibc
import Screens
import System
import Testing

/// Plays a script: words that act, and `expect` with the picture that must be there then.
protocol ScriptPlayer {
    /// Does what a line says.
    mutating func perform(_ word: String, _ rest: String) throws
    /// The pictures that `expect` asks for, in order; `rest` may name sizes.
    mutating func pictures(_ rest: String) throws -> [(name: String, lines: [String])]
}

extension ScriptPlayer {
    /// Plays the script in a file, which must show what it expects; RECORD=1 writes its pictures anew instead.
    mutating func check(_ path: String) throws {
        let lines = try Files.readText(path).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let (output, differences) = try play(lines)
        if getenv("RECORD") != nil {
            try Files.writeAtomically(output.joined(separator: "\n"), to: path)
        } else {
            #expect(differences.isEmpty, "\(path): \(differences.joined(separator: "\n"))")
        }
    }

    /// Gives the script with the pictures that were shown, and what was not as it says.
    mutating func play(_ lines: [String]) throws -> (output: [String], differences: [String]) {
        var output: [String] = []
        var differences: [String] = []
        var index = 0
        while index < lines.count {
            let line = lines[index]
            index += 1
            output.append(line)
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard let word = words.first, !word.hasPrefix("#") else { continue }
            let rest = words.count > 1 ? words[1] : ""
            guard word == "expect" else {
                try perform(word, rest)
                continue
            }
            let pictures = try pictures(rest)
            for (number, picture) in pictures.enumerated() {
                var wanted: [String] = []
                // The last takes what is left, so that a picture with lines too many is seen.
                while index < lines.count, lines[index].hasPrefix("|"),
                    number + 1 == pictures.count || wanted.count < picture.lines.count
                {
                    wanted.append(lines[index])
                    index += 1
                }
                let shown = picture.lines.map { "|\($0)|" }
                output += shown
                if shown != wanted {
                    differences.append("line \(index), \(picture.name): shown\n\(shown.joined(separator: "\n"))")
                }
            }
        }
        return (output, differences)
    }
}
