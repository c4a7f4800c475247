import AppSync
import DataStore
import Models

/// What went wrong with a model's pages after the first, until it is complete or has its turn in the next round.
struct PageTrouble {
    /// The page that failed; nil where all count as one.
    private var token: String?
    /// How often it did.
    private var failures = 0
    /// Whether the model was fetched from the beginning for it.
    private(set) var hasBegunAnew = false

    /// So often a page is asked for before it is given up.
    static let limit = 5

    /// Counts a failure of a page; whether it is to be asked for no more.
    mutating func failed(_ token: String?) -> Bool {
        if token != self.token { failures = 0 }
        self.token = token
        failures += 1
        return failures >= Self.limit
    }

    /// The model is fetched from the beginning.
    mutating func beginAnew() {
        failures = 0
        hasBegunAnew = true
    }
}

/// A model whose requests are not answered, or with nothing that can be read, until a page of it comes.
struct PageSilence {
    /// When the last of them failed; at first, when it was sent.
    var last: Int64
    /// How many they are, of those that came while the backend was heard otherwise.
    var failures = 0

    /// The fewest rows that a page is asked for.
    static let smallestPage = 10
}

extension SyncSession {
    /// No page came. Where nothing else comes either, it is the link, and all wait for that; where the backend is heard
    /// otherwise, it is this model, which is given up for now instead of holding the others.
    ///
    /// - Parameter isTooMuch: whether the answer may have been too large to come in time.
    func pullFailed(
        _ id: Int, _ model: ModelSchema, _ reason: String, retryAfter: Int64?, sentAt: Int64, isTooMuch: Bool
    ) {
        var silence = silences[model.name] ?? PageSilence(last: sentAt)
        let isHeard = lastWord.map { $0 > silence.last } ?? false
        silence.last = uptime
        if isHeard { silence.failures += 1 }
        silences[model.name] = silence
        guard isHeard else { return run(pull.handle(.failed(request: id, retryAfter: retryAfter))) }
        if isTooMuch {
            let size = pageSizes[model.name] ?? options.pageSize
            pageSizes[model.name] = min(size, max(size / 2, PageSilence.smallestPage))
        }
        guard silence.failures >= PageTrouble.limit else {
            return run(pull.handle(.failed(request: id, retryAfter: retryAfter)))
        }
        giveUp(id, model, ResponseError(reason))
    }

    /// The backend gives no further page: it is asked for again, later; then, or where its token is worn out, the model is
    /// fetched from the beginning, once; then it has its turn in the next round.
    func laterPageFailed(_ id: Int, _ model: ModelSchema, _ mark: SyncMark, _ error: ResponseError) {
        var trouble = troubles[model.name] ?? PageTrouble()
        // What a comparison asks for begins with its first page at each try, under another token perhaps.
        let isGivenUp = trouble.failed(reconciliations[model.name]?.isFetching == true ? nil : mark.nextToken)
        troubles[model.name] = trouble
        guard isGivenUp || error.isWornToken else { return run(pull.handle(.failed(request: id, retryAfter: nil))) }
        var anew = mark
        anew.nextToken = nil
        anew.startedAt = nil
        guard attempt({ try core.setMark(anew) }) else {
            return run(pull.handle(.failed(request: id, retryAfter: nil)))
        }
        if trouble.hasBegunAnew { return giveUp(id, model, error) }
        troubles[model.name]?.beginAnew()
        if !error.isWornToken {
            tell(of: unfetchable(model, error, recovery: "it is fetched from the beginning"))
        }
        run(pull.handle(.page(request: id, isLast: false)))
    }

    /// A model cannot be fetched now; it has its turn in the next round.
    func giveUp(_ id: Int, _ model: ModelSchema, _ error: ResponseError) {
        tell(of: unfetchable(model, error, recovery: "it is tried again with the next round"))
        buffers[model.name] = nil
        reconciliations[model.name] = nil
        troubles[model.name] = nil
        silences[model.name] = nil
        countUnfetched(model.name)
        run(pull.handle(.skipped(request: id)))
    }

    private func unfetchable(_ model: ModelSchema, _ error: ResponseError, recovery: String) -> StoreProblem {
        StoreProblem(
            .sync, StoreProblem.ErrorType(code: error.errorType ?? ""), model: model.name,
            message: "it cannot be fetched: \(error)", recovery: recovery)
    }
}
