import AppSync
import SQLite

extension HubCore {
    /// Why a unit is undone: one of its mutations was refused.
    private struct UnitRefused: Error {
        let key: String
        let error: ResponseError
    }

    /// Carries out the mutations of one unit, all or none; the refused one gets its own error, the others say that they
    /// were not carried out because of it.
    ///
    /// - Throws: ``NeedsFunction`` where one of them waits, and the unit with it; `SQLiteError` where the whole commit
    ///   must be tried otherwise.
    func unitOutcomes(
        of members: [SelectedField], _ request: RunnableRequest, _ decisions: [String: FieldDecisions], isolated: Bool
    ) throws -> [String: MutationOutcome] {
        let (count, before) = (pending.count, statistics)
        let refused: UnitRefused
        do {
            return try connection.savepoint {
                var rows: [String: MutationOutcome] = [:]
                for field in members {
                    guard case .root(let root) = field.definition.source else { continue }
                    switch try mutate(root, field, request, decisions[field.key]) {
                    case .success(let row): rows[field.key] = .success(row)
                    case .failure(let error): throw UnitRefused(key: field.key, error: error)
                    }
                }
                return rows
            }
        } catch let error as UnitRefused {
            refused = error
        } catch let needs as NeedsFunction {
            pending.removeLast(pending.count - count)
            statistics = before
            throw needs
        } catch let error as SQLiteError where isolated && !error.isEnvironmental {
            log(.error, "a unit of mutations failed: \(error)", request: request.id)
            let failure = ResponseError("The hub could not store this unit.", errorType: ErrorType.internalFailure)
            refused = UnitRefused(key: members.first?.key ?? "", error: failure)
        }
        pending.removeLast(pending.count - count)
        statistics = before
        return Dictionary(
            members.map { field in
                if field.key == refused.key {
                    var error = refused.error
                    error.path = [.field(field.key)]
                    return (field.key, .failure(error))
                }
                return (
                    field.key,
                    .failure(
                        ResponseError(
                            "Transaction cancelled: \(refused.key) was refused: \(refused.error.message)",
                            errorType: ErrorType.transactionCanceled, path: [.field(field.key)],
                            locations: [field.location]))
                )
            }, uniquingKeysWith: { first, _ in first })
    }
}
