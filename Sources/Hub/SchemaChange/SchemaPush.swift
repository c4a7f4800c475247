import Basics
import GraphQL
import ModelTables
import SQLite
import Transport

/// What `POST /schema` asks for.
struct SchemaPush: Sendable, Hashable {
    /// The schema in its own language.
    let text: String
    let allowsDestructive: Bool
    /// Whether it is only to be told what would be done.
    let isTrial: Bool

    /// Reads a request's body; nil where it is none.
    init?(_ body: [UInt8]) {
        guard let json = try? JSONValue(parsing: body), let text = json["schema"]?.string, !text.isEmpty else {
            return nil
        }
        self.text = text
        allowsDestructive = json["allowDestructive"]?.bool ?? false
        isTrial = json["dryRun"]?.bool ?? false
    }
}

extension SchemaDesk {
    /// One line for a person.
    static func refusal(_ status: Int, _ message: String, _ more: JSONObject = JSONObject()) -> HTTPResponse {
        AdminGate.refusal(status, message, more)
    }

    static func done(
        _ difference: SchemaDifference, isApplied: Bool, backup: String? = nil, refusal: String? = nil
    ) -> HTTPResponse {
        var object: JSONObject = ["applied": .bool(isApplied), "changes": difference.json]
        if let backup { object["backup"] = .string(backup) }
        if let refusal { object["refusal"] = .string(refusal) }
        return HTTPResponse(
            status: 200, headers: ["content-type": "application/json"], body: JSONValue.object(object).bytes)
    }

    static func refused(_ difference: SchemaDifference) -> HTTPResponse {
        let message =
            difference.needsBackup
            ? "the schema takes something away, so nothing was changed; --allow-destructive does it, after a backup"
            : "a program inside the hub would lose rights that it works with, so nothing was changed; "
                + "--allow-destructive does it all the same"
        return refusal(409, message, ["changes": difference.json])
    }

    static func refused(_ resident: SchemaResident, _ lost: [SchemaDifference.Change]) -> HTTPResponse {
        refusal(409, resident.refusal(lost), ["problems": .array(lost.map { .string($0.text) })])
    }

    /// Why a schema cannot be taken, for a person: in a sentence, and what that is about.
    struct Reason {
        let status: Int
        let message: String
        var more = JSONObject()

        /// All of it in one line.
        var line: String {
            let problems = (more["problems"]?.array ?? []).compactMap(\.string)
            return problems.isEmpty ? message : "\(message): \(problems.joined(separator: "; "))"
        }
    }

    static func answer(to error: any Error) -> HTTPResponse {
        let reason = reason(error)
        return refusal(reason.status, reason.message, reason.more)
    }

    /// The client's fault where the schema is, else the hub's.
    static func reason(_ error: any Error) -> Reason {
        switch error {
        case let error as SchemaMistakes:
            let mistakes = error.mistakes.map { mistake -> JSONValue in
                [
                    "line": .integer(Int64(mistake.line)), "column": .integer(Int64(mistake.column)),
                    "message": .string(mistake.message),
                ]
            }
            return Reason(status: 422, message: "the schema has mistakes", more: ["mistakes": .array(mistakes)])
        case let error as HubError: return Reason(status: 422, message: error.message)
        case let error as FunctionsDoNotFit:
            return Reason(
                status: 409,
                message: "the functions that the hub is started with do not fit the schema, so nothing was changed",
                more: ["problems": [.string(error.reason)]])
        case MigrationError.refused(_, let problems):
            return Reason(
                status: 409, message: "the records do not fit the schema, so nothing was changed",
                more: ["problems": .array(problems.map { .string($0) })])
        case let error as MigrationError: return Reason(status: 409, message: error.description)
        case is SchemaSwap.BackupIsOld:
            return Reason(
                status: 409,
                message: "what would go is still being changed, faster than it can be backed up; nothing was changed")
        default: return Reason(status: 500, message: "the schema could not be changed: \(error)")
        }
    }
}

extension SchemaDifference {
    var json: JSONValue {
        .array((changes + lostRights).map { ["text": .string($0.text), "isDestructive": .bool($0.isDestructive)] })
    }
}
