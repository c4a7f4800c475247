import AppSync
import DataStore
import Models

/// What the signed-in person may see at the backend, and letting go of what he may not see any more.
///
/// The backend says with each first page what his rights come to. Where that is another text than before, other rows may
/// be his (another group, another key): what is here is compared by digests, which finds the rows that are not given any
/// more. Where the fields of a row are others, all of them are fetched anew, since a row's version does not tell of it.
/// Rows with unsent changes stay until those are answered.
extension SyncSession {
    /// Takes over what a first page says of the rights; whether what is here was fetched under others.
    func areRightsOther(_ tail: AnswerTail, _ model: ModelSchema, _ mark: SyncMark) -> Bool {
        guard mark.nextToken == nil,
            let text = tail.bincount?[WireExtension.rights]?[requests.name(.sync, of: model)]?.string
        else { return false }
        var isOther = false
        let isKept = attempt {
            let key = Self.rightsKey + model.name
            let known = try core.driverState(key)
            guard known != text else { return }
            if known != nil { try core.letGoOfDisowned(model: model.name) }
            if let known, fields(of: known) != fields(of: text) {
                isOther = true
                try core.evict(model: model.name, where: .all)
            } else if known != nil, mark.lastSync != nil {
                isOther = true
            }
            if isOther { try core.setMark(SyncMark(model: model.name, scope: scopeName(of: model), epoch: epoch)) }
            // Last: where it is cut off before, the same is found again.
            try core.setDriverState(key, text)
        }
        // Not kept: the page is taken as it is, and the next round finds the same.
        return isKept && isOther
    }

    /// Fetches a model from the beginning, with what is left of it here.
    func rightsChanged(_ id: Int, _ model: ModelSchema) {
        core.options.log(.notice, "the rights to \(model.name) are others than before; all of it is compared")
        reconciliations[model.name] = nil
        run(pull.handle(.page(request: id, isLast: false)))
    }

    private func fields(of rights: String) -> Substring? {
        let parts = rights.split(separator: ".", maxSplits: 1)
        return parts.count == 2 ? parts[1] : nil
    }

    private static let rightsKey = "rights."
}
