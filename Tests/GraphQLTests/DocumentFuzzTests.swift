import Basics
import Glibc
import Testing

@testable import GraphQL

/// Makes documents from the grammar itself, at random; whether they mean anything is not its matter.
private struct GrammarGenerator {
    let random: SeededRandom
    private static let names = [
        "a", "b2", "_", "on", "query", "type", "fragment", "input", "null_", "True", "repeatable",
    ]

    private func chance(_ percent: Int) -> Bool { random.below(100) < percent }
    private func pick<T>(_ list: [T]) -> T { list[random.below(list.count)] }
    private func many(_ most: Int, _ separator: String = " ", _ one: () -> String) -> String {
        (0...random.below(most)).map { _ in one() }.joined(separator: separator)
    }
    /// Something ignored between two tokens.
    private var gap: String {
        pick([" ", " ", " ", "\n", ", ", "\t", " # note\n", "\r\n", "\u{FEFF}".isEmpty ? "" : " "])
    }

    func document() -> String { many(4, "\n") { chance(70) ? executable() : typeSystem() } }

    private func name() -> String { pick(Self.names) }

    private func executable() -> String {
        switch random.below(5) {
        case 0: return selections(0)
        case 1:
            var name = name()
            if name == "on" { name = "F" }
            return "fragment \(name) on \(self.name())\(directives()) \(selections(0))"
        default:
            let variables = chance(50) ? "(" + many(3) { variable() } + ")" : ""
            return pick(["query", "mutation", "subscription"]) + (chance(60) ? " \(name())" : "") + variables
                + directives()
                + gap + selections(0)
        }
    }

    private func variable() -> String {
        "$\(name()):\(gap)\(type(0))" + (chance(40) ? " = \(value(0, constant: true))" : "")
            + directives(constant: true)
    }

    private func selections(_ depth: Int) -> String {
        "{" + gap + many(3, gap) { selection(depth) } + gap + "}"
    }

    private func selection(_ depth: Int) -> String {
        switch random.below(depth > 4 ? 4 : 8) {
        case 0:
            var name = name()
            if name == "on" { name = "G" }
            return "...\(name)\(directives())"
        case 5: return "... on \(name())\(directives()) \(selections(depth + 1))"
        case 6: return "...\(directives())\(gap)\(selections(depth + 1))"
        case 7: return field() + gap + selections(depth + 1)
        default: return field()
        }
    }

    private func field() -> String {
        (chance(20) ? "\(name()):\(gap)" : "") + name() + arguments(constant: false) + directives()
    }

    private func arguments(constant: Bool) -> String {
        chance(30) ? "(" + many(3) { "\(name()):\(gap)\(value(0, constant: constant))" } + ")" : ""
    }

    private func directives(constant: Bool = false) -> String {
        chance(15) ? " " + many(2) { "@\(name())\(arguments(constant: constant))" } : ""
    }

    private func type(_ depth: Int) -> String {
        (depth < 3 && chance(30) ? "[\(type(depth + 1))]" : name()) + (chance(30) ? "!" : "")
    }

    private func value(_ depth: Int, constant: Bool) -> String {
        switch random.below(depth > 3 ? 7 : 9) {
        case 0: return constant ? "0" : "$\(name())"
        case 1: return pick(["0", "-0", "123", "-98765432109876543210"])
        case 2: return pick(["0.5", "-1.25e+10", "1E2", "3e-3"])
        case 3: return pick(["true", "false", "null"])
        case 4: return pick(["RED", "_x", "on", "Null"])
        case 5:
            return pick([
                "\"\"", "\"a b\"", "\"\\u00e9\\n\\\"\\\\\"", "\"\\u{1F600}\\uD83D\\uDE00\"", "\"é😀\"", "\"#{}\"",
                "\"\\/\\b\\f\"",
            ])
        case 6:
            return pick([
                "\"\"\"\"\"\"", "\"\"\"a\n  b\n    c\n  \"\"\"", "\"\"\" \\\"\"\" \"\"\"", "\"\"\"\n\n x\n\"\"\"",
            ])
        case 7: return "[" + (chance(30) ? "" : many(3) { value(depth + 1, constant: constant) }) + "]"
        default:
            return "{" + (chance(30) ? "" : many(3) { "\(name()): \(value(depth + 1, constant: constant))" }) + "}"
        }
    }

    private func typeSystem() -> String {
        let description = chance(40) ? pick(["\"d\" ", "\"\"\"\n block\n  more\n\"\"\"\n"]) : ""
        let tags = directives(constant: true)
        func fields() -> String {
            "{"
                + many(3) {
                    "\(description)\(name())\(chance(20) ? "(\(inputs()))" : ""): \(type(0))\(directives(constant: true))"
                } + "}"
        }
        func inputs() -> String {
            many(2) {
                "\(name()): \(type(0))" + (chance(40) ? " = \(value(0, constant: true))" : "")
                    + directives(constant: true)
            }
        }
        switch random.below(7) {
        case 0: return "\(description)scalar \(name())\(tags)"
        case 1: return "\(description)type \(name())\(chance(30) ? " implements & A & B" : "")\(tags) \(fields())"
        case 2: return "\(description)interface \(name())\(tags) \(fields())"
        case 3: return "\(description)union \(name())\(tags) = | A | B"
        case 4:
            return "\(description)enum \(name())\(tags) {" + many(3) { "\(description)\(pick(["A", "b", "type"]))" }
                + "}"
        case 5: return "\(description)input \(name())\(tags) {\(inputs())}"
        default:
            return "\(description)directive @\(name())(\(inputs())) \(chance(50) ? "repeatable " : "")on FIELD | OBJECT"
        }
    }
}

@Suite("Documents made from the grammar, and a corpus")
struct DocumentFuzzTests {
    /// What is printed parses to what is printed, without places the same document.
    private func checkFixpoint(_ document: Document, _ source: String) throws {
        let text = document.text
        let again = try Document(parsing: text)
        #expect(again.text == text, "\(source)")
        #expect(again.definitions.count == document.definitions.count, "\(source)")
    }

    @Test(arguments: 1...6)
    func whatTheGrammarAllowsIsParsedAndPrinted(seed: Int) throws {
        let generator = GrammarGenerator(random: SeededRandom(seed: UInt64(seed)))
        for _ in 0..<150 {
            let text = generator.document()
            do {
                try checkFixpoint(try Document(parsing: text), text)
            } catch {
                Issue.record("\(error): \(text)")
            }
        }
    }

    @Test(arguments: 1...6)
    func changedDocumentsAreParsedOrRefusedWithAPlace(seed: Int) throws {
        let random = SeededRandom(seed: UInt64(seed) + 100)
        let generator = GrammarGenerator(random: random)
        let corpus = try Self.corpus().map { Array($0.text.utf8) }
        for round in 0..<250 {
            var bytes = round % 3 == 0 ? corpus[random.below(corpus.count)] : Array(generator.document().utf8)
            for _ in 0...random.below(3) where !bytes.isEmpty {
                let place = random.below(bytes.count)
                let other = corpus[random.below(corpus.count)]
                let from = random.below(other.count)
                switch random.below(4) {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random.below(12)))
                case 2: bytes.insert(contentsOf: other[from..<min(other.count, from + 30)], at: place)
                default: bytes.swapAt(place, random.below(bytes.count))
                }
            }
            let lines =
                bytes.split(separator: 10, omittingEmptySubsequences: false).count + bytes.filter { $0 == 13 }.count
            do throws(GraphQLSyntaxError) {
                let document = try Document(parsing: bytes)
                try? checkFixpoint(document, String(decoding: bytes, as: UTF8.self))
            } catch {
                #expect(error.line >= 1 && error.line <= lines && error.column >= 1, "\(error)")
                #expect(!error.message.isEmpty && !error.isLimit)
            }
        }
    }

    private static func corpus() throws -> [(name: String, text: String)] {
        let folder = "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/") + "/Corpus"
        var names: [String] = []
        guard let directory = opendir(folder) else { throw Missing(name: folder) }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".graphql") { names.append(name) }
        }
        return try names.sorted().map { ($0, try file("Corpus/\($0)")) }
    }

    @Test func theCorpusIsParsedOrRefusedAsItsNamesSay() throws {
        let corpus = try Self.corpus()
        #expect(corpus.count >= 15)
        for (name, text) in corpus {
            if name.hasPrefix("broken-") {
                #expect(throws: GraphQLSyntaxError.self, "\(name)") { try Document(parsing: text) }
            } else {
                try checkFixpoint(try Document(parsing: text), name)
            }
        }
    }

    @Test func aDocumentHasAsManyTokensAsItIsAllowed() throws {
        for (name, text) in try Self.corpus() where !name.hasPrefix("broken-") {
            var few = 1
            var most = 10_000
            while few < most {
                let middle = (few + most) / 2
                if (try? Document(parsing: text, tokenLimit: middle)) == nil { few = middle + 1 } else { most = middle }
            }
            #expect((try? Document(parsing: text, tokenLimit: few)) != nil, "\(name)")
            let error = #expect(throws: GraphQLSyntaxError.self) { try Document(parsing: text, tokenLimit: few - 1) }
            #expect(
                error?.isLimit == true && error?.message == "the document has more than \(few - 1) tokens", "\(name)")
        }
    }
}
