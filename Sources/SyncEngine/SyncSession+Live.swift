import AppSync
import Basics
import DataStore
import ModelTables
import Models

extension SyncSession {
    func run(_ actions: [ConnectionMachine.Action]) {
        for action in actions {
            switch action {
            case .open(let socket):
                // Nothing but its deadline follows, and another counts now.
                if let reason = fetchHindrance { return hold(socket, reason) }
                perform(.openSocket(socket: socket, person: options.person))
            case .close(let socket): perform(.closeSocket(socket: socket))
            case .sendInit(let socket):
                perform(.sendText(socket: socket, RealtimeFrame.connectionInit.bytes))
            case .startSubscriptions(let socket): startSubscriptions(socket)
            case .setDeadline(let wait): deadlines.set(.connection, at: wait.map { uptime + $0 })
            case .becameLive:
                deadlines.set(.steadiness, at: uptime + ConnectionMachine.steadyAfter)
                tellOfLink()
                run(outbox.handle(.linkUp))
                run(pull.handle(.linkUp))
                startRound()
            case .lost(let reason):
                perform(.event(.networkStatus(isActive: false, detail: reason)))
                // Where sockets do not get through but requests do, changes are fetched from time to time.
                if uptime - (lastRoundAt ?? 0) > Self.blindInterval, pull.state == .idle, fetchHindrance == nil {
                    lastRoundAt = uptime
                    startRound()
                }
            case .pause(let reason):
                tellOfPause(.subscribe, reason)
            case .distrust(let reason):
                tell(
                    of: StoreProblem(
                        .sync, .configuration, message: reason,
                        recovery: "nothing is sent meanwhile and nothing is lost; it is tried again each minute"))
            }
        }
    }

    private func startSubscriptions(_ socket: Int) {
        polled.removeAll()
        for number in 1...max(subscriptions.count, 1) {
            if let subscription = subscriptions[String(number)] { start(subscription, socket) }
        }
    }

    private func start(_ subscription: Subscription, _ socket: Int) {
        if let known = startFrames[subscription.id] { return perform(.sendText(socket: socket, known)) }
        let model = subscription.model
        let filter =
            unfiltered.contains(subscription.id)
            ? nil : options.scope.filters[model.name].flatMap { $0.subscriptionFilterInput(for: model) }
        let data = requests.subscription(
            subscription.operation, model, filter: filter, asksLeft: filter != nil && profile.tellsLeft)
        let frame = RealtimeFrame.start(
            id: subscription.id, data: data, authorization: authorization(of: subscription))
        let bytes = frame.bytes
        startFrames[subscription.id] = bytes
        perform(.sendText(socket: socket, bytes))
    }

    private func authorization(of subscription: Subscription) -> RealtimeAuthorization {
        let modes = authModes(subscription.model, .listen)
        let refused = subscriptionModes[subscription.id] ?? 0
        guard refused < modes.count, let made = options.modeAuthorization?(modes[refused], options.person) else {
            return options.authorization(options.person)
        }
        return made
    }

    /// Tries a subscription with the next provider; false where none is left.
    private func startInNextMode(_ subscription: Subscription, _ socket: Int) -> Bool {
        let refused = (subscriptionModes[subscription.id] ?? 0) + 1
        guard refused < authModes(subscription.model, .listen).count else { return false }
        subscriptionModes[subscription.id] = refused
        startFrames[subscription.id] = nil
        start(subscription, socket)
        return true
    }

    /// Takes all frames that are ready; their changes go into the store in one transaction.
    func received(_ frames: [[UInt8]], on socket: Int) {
        guard socket == connection.socket else { return }
        status.lastContact = uptime
        lastWord = uptime
        run(connection.handle(.traffic))
        var changes: [RemoteRecord] = []
        var unreadable: [UnreadableRecord] = []
        for bytes in frames {
            guard let frame = try? RealtimeFrame(parsing: bytes) else {
                run(connection.handle(.broken(reason: "a frame is no JSON")))
                break
            }
            switch frame {
            case .data(let id, let payload): take(payload, of: id, &changes, &unreadable)
            case .keepAlive, .unknown: break
            case .connectionAck(let timeout):
                refusedConnections = 0
                run(connection.handle(.acknowledged(timeout: timeout, subscriptions: Set(subscriptions.keys))))
            case .startAck(let id): run(connection.handle(.answered(subscription: id)))
            case .error(let id, let errors): subscriptionFailed(id, errors)
            case .complete:
                run(connection.handle(.broken(reason: "the backend ended a subscription")))
            case .connectionError(let errors): connectionFailed(errors)
            case .connectionInit, .start, .stop:
                run(connection.handle(.broken(reason: "the backend sent a client's frame")))
            }
        }
        apply(changes, unreadable: unreadable)
    }

    private func take(
        _ payload: [UInt8], of id: String, _ changes: inout [RemoteRecord], _ unreadable: inout [UnreadableRecord]
    ) {
        guard let model = subscriptions[id]?.model, let (found, tail) = try? answers.record(payload, of: model) else {
            return
        }
        switch found {
        case .success(let wire)?:
            let record = RemoteRecord(wire)
            if echoes.absorbs(record) { return }
            if connection.isSubscribing || pull.isPending(model.name) {
                buffers[model.name, default: EventBuffer()].append(record)
            } else {
                changes.append(record)
            }
        case .failure(let row)?: unreadable.append(UnreadableRecord(row))
        case nil:
            // Something changed and did not come through: it is fetched.
            if !tail.errors.isEmpty { fetchAgain(model.name) }
        }
    }

    func apply(_ changes: [RemoteRecord], unreadable: [UnreadableRecord]) {
        guard !changes.isEmpty || !unreadable.isEmpty else { return }
        // A filter that the backend could not take is applied here; and what leaves it goes from here.
        let kept = options.scope.filters.isEmpty ? changes : changes.filter { !isOutside($0) }
        let outside = kept.count == changes.count ? [] : changes.filter(isOutside)
        if attempt({ try core.applyRemote(kept, outside: outside, unreadable: unreadable) }) {
            quarantined(unreadable)
        } else {
            // Not kept: the fetch after the next connection brings it again.
            run(connection.handle(.broken(reason: "the store could not keep a change")))
        }
    }

    private func subscriptionFailed(_ id: String?, _ errors: [ResponseError]) {
        let reason = errors.first?.description ?? "an error without a reason"
        guard let id, let subscription = subscriptions[id] else {
            run(connection.handle(.broken(reason: reason)))
            return
        }
        guard connection.isSubscribing, let socket = connection.socket else {
            run(connection.handle(.broken(reason: reason)))
            return
        }
        let model = subscription.model
        if errors.contains(where: { ErrorType.isAuthorization($0.errorType) }) {
            if socket <= outdated.socket { return run(connection.handle(.broken(reason: reason))) }
            if startInNextMode(subscription, socket) { return }
            // Not given to this caller: the fetch finds the same and says so.
        } else if options.scope.filters[model.name] != nil, !unfiltered.contains(id) {
            // The other two of the model are refused, or not, for themselves.
            unfiltered.insert(id)
            startFrames[id] = nil
            start(subscription, socket)
            return
        } else {
            polled.insert(model.name)
            tell(
                of: StoreProblem(
                    .subscribe, StoreProblem.ErrorType(code: errors.first?.errorType ?? ""), model: model.name,
                    message: "its changes do not come by themselves: \(reason)",
                    recovery: "they are fetched twice a minute instead"))
        }
        run(connection.handle(.answered(subscription: id)))
    }

    private func connectionFailed(_ errors: [ResponseError]) {
        let reason = errors.first?.description ?? "the backend refuses the connection"
        let isRefused = errors.contains { error in
            ErrorType.isAuthorization(error.errorType) || [401, 403].contains(error.errorCode ?? 0)
        }
        if isRefused, let socket = connection.socket, socket <= outdated.socket {
            return run(connection.handle(.broken(reason: reason)))
        }
        let others = options.authModeStrategy == .multiAuth ? options.availableProviders().count - 1 : 0
        if isRefused, refusedConnections < others {
            // Another provider's credentials may open it.
            refusedConnections += 1
            options.connectionRefused()
            run(connection.handle(.broken(reason: reason)))
            return
        }
        run(connection.handle(isRefused ? .unauthorized(reason: reason) : .broken(reason: reason)))
    }

    private static let blindInterval: Int64 = 30_000
}
