import AppSync
import DataStore

/// What was asked for under credentials that have been replaced since.
///
/// A refusal that comes late, of an expired token after it was renewed, says nothing of the present ones: pausing for it
/// would keep a caller waiting who is welcome.
struct OutdatedCredentials: Sendable {
    /// The last request that may have shown others than the present ones.
    var request = 0
    /// The last connection that may have been opened with others.
    var socket = 0
}

extension SyncSession {
    /// Goes on with what was paused for the sake of other credentials; the connection is made anew under the present ones.
    func credentialsChanged() {
        forgetCredentials()
        subscriptionModes.removeAll()
        refusedConnections = 0
        goOn()
        // What was held for want of its person's credentials may go now.
        run(outbox.handle(.wake))
        // What was asked for with another's comes in no more.
        if fetchHindrance != nil { rescope() } else { run(connection.handle(.reconnect)) }
    }

    /// Takes note that the same caller has a new token: what is open stays open, and what was refused a moment before goes
    /// on.
    func credentialsRenewed() {
        forgetCredentials()
        goOn()
        if case .paused = connection.state { run(connection.handle(.reconnect)) }
    }

    /// Tries what waits or is paused at once.
    func goOn() {
        run(outbox.handle(.credentialsChanged))
        run(pull.handle(.credentialsChanged))
    }

    /// The reason of a refusal of credentials that nobody shows any more; it is asked again under the present ones.
    func outdatedRefusal(_ id: Int, _ answer: HTTPAnswer) -> String? {
        guard id <= outdated.request, case .unauthorized(let reason) = answer.kind else { return nil }
        return reason
    }

    /// Why the credentials are none for who is signed in; nil where they are. With another's the backend would give
    /// what that one may read: nothing is fetched or heard until there are others.
    var fetchHindrance: String? {
        options.hindrance(options.person) ?? (options.maySend(options.person) ? nil : Self.othersCredentials)
    }

    /// Leaves a connection that would show what another may read. Person and credentials change one after the other:
    /// what is over with the next try is not worth a word, and what is not is told.
    func hold(_ socket: Int, _ reason: String) {
        run(
            connection.handle(
                connection.attempt == 0 ? .closed(socket: socket, reason: reason) : .unauthorized(reason: reason)))
    }

    static let othersCredentials = "the credentials are another person's than who is signed in"

    private func forgetCredentials() {
        startFrames.removeAll()
        outdated = OutdatedCredentials(request: lastRequest, socket: connection.socket ?? outdated.socket)
    }
}
