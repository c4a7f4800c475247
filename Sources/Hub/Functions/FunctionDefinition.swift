import Basics
import System

/// Code of the site that a hub calls: a program or an HTTP endpoint that takes JSON and gives JSON.
public struct FunctionDefinition: Sendable, Hashable {
    /// How a function is reached.
    public enum Target: Sendable, Hashable {
        /// A program and its arguments, started without a shell for each call.
        case program([String])
        /// An endpoint that takes a POST.
        case endpoint(URLParts)
    }

    /// What the configuration calls it.
    public var name: String
    /// How it is reached.
    public var target: Target
    /// How long one call may take.
    public var timeoutMilliseconds: Int64 = 10_000
    /// A longer answer is a failure.
    public var answerLimit = 1 << 20
    /// How many calls run at a time; more of them wait.
    public var concurrency = 8
    /// How many calls may wait; more of them fail at once.
    public var waitingLimit = 1_000

    /// Names a function.
    public init(name: String, target: Target) {
        self.name = name
        self.target = target
    }

    /// Reads `NAME=COMMAND` or `NAME=URL`.
    ///
    /// A command is words apart by blanks, `'…'` and `"…"` hold blanks together; no shell reads it. Plain `http` is for
    /// endpoints on this machine only.
    ///
    /// - Throws: ``HubError`` where it is neither, or where the program is not there.
    public init(parsing text: String) throws(HubError) {
        guard let equals = text.firstIndex(of: "=") else {
            throw HubError("\(printable(text)) is no function; write NAME=COMMAND or NAME=https://…")
        }
        name = String(text[..<equals])
        guard (1...64).contains(name.utf8.count),
            name.utf8.allSatisfy({ $0 == 45 || $0 == 95 || (48...57).contains($0) || (65...90).contains($0 & 0xDF) })
        else { throw HubError("\(printable(name)) is no name of a function; use letters, digits, - and _") }
        let place = String(text[text.index(after: equals)...])
        if place.hasPrefix("http://") || place.hasPrefix("https://") {
            do {
                let url = try URLParts(place)
                guard url.scheme == "https" || url.isLoopback else {
                    throw HubError("the function \(name) is on another machine: use https, not http")
                }
                target = .endpoint(url)
            } catch let error as HubError {
                throw error
            } catch {
                throw HubError("the function \(name): \(error)")
            }
            return
        }
        guard var words = Self.words(place), let program = words.first else {
            throw HubError("the function \(name) has no command, or a quote in it has no end")
        }
        guard let path = Files.program(program) else {
            throw HubError("the function \(name): there is no program \(printable(program)) that can be started")
        }
        words[0] = path
        target = .program(words)
    }

    /// Splits a command into its words; nil where a quote is not closed.
    static func words(_ text: String) -> [String]? {
        var words: [String] = []
        var word: String?
        var quote: Character?
        for character in text {
            if let open = quote {
                if character == open { quote = nil } else { word?.append(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if character == " " || character == "\t" {
                if let ended = word { words.append(ended) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if let last = word { words.append(last) }
        return quote == nil ? words : nil
    }
}

extension URLParts {
    /// Whether the host is this machine.
    var isLoopback: Bool {
        host == "localhost" || host == "::1" || (host.hasPrefix("127.") && host.split(separator: ".").count == 4)
    }
}

/// What came of a call: what the function said, or why it said nothing.
package typealias FunctionOutcome = Result<JSONValue, FunctionFailure>

/// Why a call of a function has no answer.
public enum FunctionFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// Too many calls wait already, or it waited too long for its turn.
    case busy
    /// It took longer than it may.
    case timedOut
    /// The program could not be started, or nobody answers at the address.
    case unreachable(String)
    /// It ended with another exit code than 0, or answered with another status than 2xx.
    case failed(String)
    /// What it answered is no JSON, or too long.
    case unreadable(String)
    /// The hub stops.
    case stopped

    /// One line for a person, to follow the function's name.
    public var description: String {
        switch self {
        case .busy: "has too many calls waiting"
        case .timedOut: "took too long"
        case .unreachable(let reason): "could not be called: \(reason)"
        case .failed(let reason): "failed: \(reason)"
        case .unreadable(let reason): "gave an answer that cannot be used: \(reason)"
        case .stopped: "was not called, the hub is stopping"
        }
    }
}
