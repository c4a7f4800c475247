import AppSync
import Basics

/// The errors of one answer, and which fields its sender was denied: each is logged once, however many rows have it.
struct AnswerErrors {
    /// Errors that say that a field is hidden; the fields beyond are null without one.
    private static let deniedLimit = 1000

    private var all: [ResponseError] = []
    private var denied: Set<FieldDenied> = []
    private var told: Set<FieldDenied> = []

    var isEmpty: Bool { all.isEmpty }
    /// As an answer has them.
    var json: JSONValue { .array(all.map(\.json)) }

    mutating func append(_ error: ResponseError) { all.append(error) }

    /// A field is null because its reader may not see it.
    mutating func deny(
        _ field: FieldDenied, path: [ResponseError.PathElement], locations: [ResponseError.Location]
    ) {
        denied.insert(field)
        guard all.count < Self.deniedLimit else { return }
        all.append(.denied(field.field, on: field.type, path: path, locations: locations))
    }

    /// The fields that were denied and nobody was told of yet, in an order that does not change.
    mutating func takeDenied() -> [FieldDenied] {
        guard denied.count > told.count else { return [] }
        defer { told = denied }
        return denied.subtracting(told).sorted { ($0.type, $0.field) < ($1.type, $1.field) }
    }

    static func += (errors: inout AnswerErrors, more: AnswerErrors) {
        errors.all += more.all
        errors.denied.formUnion(more.denied)
    }
}

extension AccessLog {
    /// The fields that somebody was denied in what he asked for.
    func refused(_ fields: [FieldDenied], _ root: RootField, _ request: RunnableRequest) {
        for denied in fields {
            let act = Act(operation: root.name, model: denied.type, field: denied.field, request: request.id)
            refused(request.rights.caller, act, "no rule gives the field for \(root.operation)")
        }
    }
}
