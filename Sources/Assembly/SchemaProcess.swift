import Basics
import SyncEngine
import Transport

/// Shows and changes the schema of a hub that runs.
package enum SchemaProcess {
    /// What a push did, or would do.
    package struct Outcome: Sendable {
        /// Whether the hub serves the schema now.
        package let isApplied: Bool
        /// What differs, in the hub's words, and whether that takes something away.
        package let changes: [(text: String, isDestructive: Bool)]
        /// Where the hub has its database as it was; nil where nothing was taken away.
        package let backup: String?
        /// Why a push would be refused whatever it allows; nil where it would not.
        package let refusal: String?
    }

    /// Why the hub would not.
    package struct Refused: Error, Sendable, CustomStringConvertible {
        /// The hub's word, for one line.
        package let description: String
        /// What it is about: mistakes with their places, models and fields that would lose something.
        package var details: [String] = []
    }

    /// The schema that the hub at `link` serves.
    package static func pull(_ link: HubLink) async throws -> String {
        let answer = try await HubAdministration.send("GET", "/schema", to: link)
        guard answer.status == 200 else { throw refusal(answer) }
        return String(decoding: answer.body, as: UTF8.self)
    }

    /// Puts a schema in the place of the one that is served; `isTrial` only asks what that would change.
    package static func push(
        _ text: String, to link: HubLink, allowsDestructive: Bool, isTrial: Bool
    ) async throws -> Outcome {
        let body: JSONValue = [
            "schema": .string(text), "allowDestructive": .bool(allowsDestructive), "dryRun": .bool(isTrial),
        ]
        let answer = try await HubAdministration.send("POST", "/schema", body.bytes, to: link)
        guard answer.status == 200, let json = try? JSONValue(parsing: answer.body) else { throw refusal(answer) }
        return Outcome(
            isApplied: json["applied"]?.bool ?? false,
            changes: (json["changes"]?.array ?? []).map {
                ($0["text"]?.string ?? "", $0["isDestructive"]?.bool ?? false)
            }, backup: json["backup"]?.string, refusal: json["refusal"]?.string)
    }

    private static func refusal(_ answer: HTTPResponse) -> Refused {
        let json = try? JSONValue(parsing: answer.body)
        var lines: [String] = []
        for mistake in json?["mistakes"]?.array ?? [] {
            lines.append(
                "\(mistake["line"]?.text ?? ""):\(mistake["column"]?.text ?? ""): \(mistake["message"]?.string ?? "")")
        }
        lines += (json?["problems"]?.array ?? []).compactMap(\.string)
        for change in json?["changes"]?.array ?? [] where change["isDestructive"]?.bool == true {
            lines.append(change["text"]?.string ?? "")
        }
        return Refused(
            description: json?["message"]?.string ?? "the hub answers \(answer.status)", details: lines)
    }
}
